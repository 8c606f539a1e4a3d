import Glibc
import Subprocess
import SystemPackage

/// The built `headroom` program, run as a user would run it.
public enum HeadroomProgram {
    /// What a run printed and how it ended.
    public struct Output: Sendable {
        /// The exit status, negative for a signal.
        public var status: Int32
        /// What it printed to standard output.
        public var output: String
        /// What it printed to standard error.
        public var errors: String
    }

    /// The program's path: beside the bundle of the tests.
    public static var path: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        // The tests run inside a helper of the toolchain; the bundle is its argument.
        let executable = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        let candidates = [executable] + CommandLine.arguments
        for candidate in candidates {
            let folder = candidate.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                .joined(separator: "/")
            if access("\(folder)/headroom", X_OK) == 0 { return "\(folder)/headroom" }
        }
        return "headroom"
    }

    /// The path of another program that was built with it.
    public static func beside(_ name: String) -> String {
        (path.split(separator: "/", omittingEmptySubsequences: false).dropLast() + [name[...]]).joined(separator: "/")
    }

    /// Runs the program to its end.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - environment: What to add to the environment; nothing of the tests' own `DB_` settings is passed on.
    ///   - folder: The working directory; `/` by default, so that no `.env` is found by chance.
    /// - Returns: What it printed, and how it ended.
    /// - Throws: When it cannot be started.
    public static func run(
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: String? = nil
    ) async throws -> Output {
        try await run(path, arguments, environment: environment, in: folder)
    }

    /// The command, to be put in front of another, that runs it as another user; only root may give it.
    public static func asUser(_ user: Int) -> [String] {
        ["/usr/bin/setpriv", "--reuid=\(user)", "--regid=\(user)", "--clear-groups"]
    }

    /// Runs the program to its end as another user, which only root may.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - user: The user.
    ///   - environment: What to add to the environment.
    /// - Returns: What it printed, and how it ended.
    /// - Throws: When it cannot be started.
    public static func run(
        _ arguments: [String],
        asUser user: Int,
        environment: [String: String]
    ) async throws -> Output {
        let command = asUser(user) + [path] + arguments
        return try await run(command[0], Array(command.dropFirst()), environment: environment, in: nil)
    }

    /// Runs the program to its end, and counts what it read: files, pipes and sockets, not what it mapped.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - environment: What to add to the environment.
    /// - Returns: The bytes read; `nil` when the program failed.
    /// - Throws: When it cannot be started.
    public static func bytesRead(by arguments: [String], environment: [String: String]) async throws -> Int? {
        // The kernel adds to a process what its children read, once they have ended.
        let script = #""$0" "$@" >&2 && cat /proc/$$/io"#
        let run = try await run("/bin/sh", ["-c", script, path] + arguments, environment: environment, in: nil)
        guard run.status == 0, let line = run.output.split(separator: "\n").first else { return nil }
        return Int(line.drop { !$0.isNumber })
    }

    /// Runs another program to its end, such as a shell that runs this one.
    ///
    /// - Parameters:
    ///   - program: The program's path.
    ///   - arguments: The arguments.
    ///   - environment: What to add to the environment.
    ///   - folder: The working directory; `/` by default.
    /// - Returns: What it printed, and how it ended.
    /// - Throws: When it cannot be started.
    public static func run(
        _ program: String,
        _ arguments: [String],
        environment: [String: String] = [:],
        in folder: String? = nil
    ) async throws -> Output {
        var values: [Environment.Key: String?] = [:]
        for (name, value) in environment { values[Environment.Key(stringLiteral: name)] = value }
        let result = try await Subprocess.run(
            .path(FilePath(program)),
            arguments: Arguments(arguments),
            environment: .inherit.updating(values),
            workingDirectory: folder.map { FilePath($0) } ?? "/",
            output: .string(limit: 1 << 22),
            error: .string(limit: 1 << 22)
        )
        let status: Int32 =
            switch result.terminationStatus {
            case .exited(let code): code
            case .signaled(let signal): -signal
            }
        return Output(status: status, output: result.standardOutput, errors: result.standardError)
    }
}
