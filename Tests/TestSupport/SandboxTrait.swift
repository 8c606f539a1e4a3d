public import HeadroomSandbox
public import Testing

/// Gives a suite a private server of its own, started before its first test and removed after its last.
public struct SandboxTrait: SuiteTrait, TestScoping {
    let options: SandboxOptions

    /// One server for the whole suite, not one for each test.
    public var isRecursive: Bool { false }

    /// Runs the suite's tests with the server.
    public func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @concurrent @Sendable () async throws -> Void
    ) async throws {
        try await Sandbox.with(options) { sandbox in
            try await SuiteSandbox.$current.withValue(sandbox) { try await function() }
        }
    }
}

extension Trait where Self == SandboxTrait {
    /// A private server for the suite, reached through ``SuiteSandbox/current``.
    public static func sandbox(_ options: SandboxOptions = SandboxOptions()) -> SandboxTrait {
        SandboxTrait(options: options)
    }
}

/// The server of the suite that is running.
public enum SuiteSandbox {
    @TaskLocal static var current: Sandbox?

    /// The server; the suite must have the `.sandbox` trait.
    public static var server: Sandbox {
        get throws { try #require(current, "The suite has no .sandbox trait.") }
    }
}
