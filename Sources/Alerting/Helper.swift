import Headroom
import Subprocess
import SystemPackage

/// Runs programs to their end that do a piece of work for this one.
///
/// Their environment is made anew: this program's own has the database's passwords in it.
package enum Helper {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// What of this program's environment a helper is given.
    static let passed = ["PATH", "HOME", "LANG", "TZ", "USER"]

    /// The environment of a helper.
    ///
    /// - Parameters:
    ///   - own: This program's.
    ///   - kept: More names that are handed on.
    ///   - added: What is added; a zero byte would end a value early, and the kernel takes only so much.
    /// - Returns: The variables.
    static func environment(
        _ own: [String: String],
        keeping kept: [String] = [],
        adding added: [String: String] = [:]
    ) -> [String: String] {
        var environment = own.filter { (passed + kept).contains($0.key) }
        if environment["PATH"] == nil { environment["PATH"] = "/usr/local/bin:/usr/bin:/bin" }
        for (name, value) in added {
            environment[name] = String(
                String.UnicodeScalarView(value.unicodeScalars.filter { $0.value != 0 }.prefix(16_384))
            )
        }
        return environment
    }

    /// Runs a program to its end.
    ///
    /// - Parameters:
    ///   - path: The program; without a slash it is looked up in PATH.
    ///   - arguments: Its arguments, which all users of the machine can read.
    ///   - kept: What it is given of this program's environment beside ``passed``.
    ///   - added: What its environment has beside that.
    ///   - input: What it reads.
    ///   - limit: For how long it may run.
    /// - Returns: What it printed, 1 MB at most.
    /// - Throws: ``Failure`` when it does not succeed in time, with the words of its standard error.
    @discardableResult
    package static func run(
        _ path: String,
        _ arguments: [String],
        keeping kept: [String] = [],
        adding added: [String: String] = [:],
        input: String = "",
        within limit: Duration = .seconds(60)
    ) async throws -> String {
        var values: [Environment.Key: String] = [:]
        for (name, value) in environment(ProcessEnvironment.variables, keeping: kept, adding: added) {
            values[Environment.Key(stringLiteral: name)] = value
        }
        let environment = Environment.custom(values)
        let ended = try await withThrowingTaskGroup(
            of: (status: TerminationStatus, output: String, errors: String)?.self
        ) { group in
            group.addTask {
                let result = try await Subprocess.run(
                    path.holds("/") ? .path(FilePath(path)) : .name(path),
                    arguments: Arguments(arguments),
                    environment: environment,
                    input: .string(input),
                    output: .string(limit: 1 << 20),
                    error: .string(limit: 1 << 20)
                )
                return (result.terminationStatus, result.standardOutput, result.standardError)
            }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        guard let ended else { throw Failure(description: "\(path) was ended after \(limit.components.seconds) s") }
        guard ended.status.isSuccess else {
            let words = Self.words(ended.errors)
            throw Failure(description: "\(path) \(ended.status)\(words.isEmpty ? "" : ": \(words)")")
        }
        return ended.output
    }

    /// What a program or a server has said, in a line that is not too long for a log.
    static func words(_ text: String) -> String {
        let scalars = Escaping.line(text).unicodeScalars.drop { $0 == " " }.prefix(300)
        return String(String.UnicodeScalarView(scalars))
    }
}
