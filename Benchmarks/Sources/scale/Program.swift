import HeadroomSandbox
import Subprocess
import SystemPackage

/// A program that is run with the settings of a sandbox.
struct Program {
    var path: String

    /// The path of another program in its folder.
    func beside(_ name: String) -> String {
        FilePath(path).removingLastComponent().appending(name).string
    }

    func run(
        _ arguments: [String],
        _ sandbox: Sandbox,
        _ variables: [String: String] = [:]
    ) async throws -> (isSuccess: Bool, output: String, errors: String) {
        var environment: [Environment.Key: String?] = ["HEADROOM_RESERVE": "0"]
        for (name, value) in sandbox.environment.merging(variables, uniquingKeysWith: { $1 }) {
            environment[Environment.Key(stringLiteral: name)] = value
        }
        let run = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            environment: .inherit.updating(environment),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16)
        )
        return (run.terminationStatus.isSuccess, run.standardOutput, run.standardError)
    }
}
