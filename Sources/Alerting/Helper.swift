import Subprocess
import SystemPackage

/// Runs the programs that alerts go out by.
enum Helper {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Runs a program to its end, for 60 s at most.
    ///
    /// - Throws: ``Failure`` when it does not succeed in time.
    static func run(
        _ path: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        input: String = ""
    ) async throws {
        var values: [Environment.Key: String?] = [:]
        for (name, value) in environment { values[Environment.Key(stringLiteral: name)] = value }
        let inherited = Environment.inherit.updating(values)
        let status = try await withThrowingTaskGroup(of: TerminationStatus?.self) { group in
            group.addTask {
                try await Subprocess.run(
                    .path(FilePath(path)),
                    arguments: Arguments(arguments),
                    environment: inherited,
                    input: .string(input),
                    output: .discarded,
                    error: .discarded
                )
                .terminationStatus
            }
            group.addTask {
                try await Task.sleep(for: .seconds(60))
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let status else { throw Failure(description: "\(path) was ended after 60 s") }
        guard status.isSuccess else { throw Failure(description: "\(path) \(status)") }
    }
}
