import CLaunch
import Glibc
package import HeadroomSandbox
package import Subprocess
import SystemPackage

/// A program that is run with the settings of a sandbox.
package struct Program {
    package var path: String

    package init(path: String) {
        self.path = path
    }

    /// The path of another program in its folder.
    package func beside(_ name: String) -> String {
        FilePath(path).removingLastComponent().appending(name).string
    }

    package func run(
        _ arguments: [String],
        _ sandbox: Sandbox,
        _ variables: [String: String] = [:]
    ) async throws -> (isSuccess: Bool, output: String, errors: String) {
        let run = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            environment: Self.environment(sandbox, variables),
            output: .string(limit: 1 << 20),
            error: .string(limit: 1 << 16)
        )
        return (run.terminationStatus.isSuccess, run.standardOutput, run.standardError)
    }

    /// This process's environment, with the settings of the sandbox.
    package static func environment(_ sandbox: Sandbox, _ variables: [String: String] = [:]) -> Environment {
        let settings = settings(sandbox, variables).map { (Environment.Key(stringLiteral: $0), String?.some($1)) }
        return .inherit.updating(Dictionary(uniqueKeysWithValues: settings))
    }

    /// The settings of the sandbox, all places of its account, and what else is given.
    fileprivate static func settings(_ sandbox: Sandbox, _ variables: [String: String]) -> [String: String] {
        sandbox.environment.merging(["HEADROOM_RESERVE": "0"]) { $1 }.merging(variables) { $1 }
    }
}

// Nothing else is on while the program runs: these hold up the thread.
extension Program {
    /// Milliseconds from its start to its end.
    package func time(_ arguments: [String], _ sandbox: Sandbox) throws -> Double {
        let run = launch(arguments, sandbox) { claunch_time($0, $1) }
        guard run.status == 0 else { throw failure(arguments, run.status) }
        return Double(run.nanoseconds) / 1e6
    }

    /// What it has in memory until its end, and how many seconds it takes.
    package func memory(
        _ arguments: [String],
        _ sandbox: Sandbox,
        _ variables: [String: String] = [:]
    ) throws -> (memory: ResidentMemory, seconds: Double) {
        let run = launch(arguments, sandbox, variables) { claunch_memory($0, $1) }
        guard run.status == 0 else { throw failure(arguments, run.status) }
        return (ResidentMemory(run), Double(run.nanoseconds) / 1e9)
    }

    /// Milliseconds from its start until the server hangs up on the first of some sessions of the account.
    package func firstKill(_ arguments: [String], among count: Int, _ sandbox: Sandbox) throws -> Double {
        let options = sandbox.options
        let time = launch(arguments, sandbox) {
            claunch_first_kill(sandbox.socket, options.username, options.password, Int32(count), $0, $1)
        }
        guard time > 0 else {
            throw BenchmarkFailure(what: "\(path) \(arguments.joined(separator: " ")) has ended no session")
        }
        return Double(time) / 1e6
    }

    private func failure(_ arguments: [String], _ status: Int32) -> BenchmarkFailure {
        BenchmarkFailure(what: "\(path) \(arguments.joined(separator: " ")): exit code \(status)")
    }

    private func launch<Result>(
        _ arguments: [String],
        _ sandbox: Sandbox,
        _ variables: [String: String] = [:],
        _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>, UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
    ) -> Result {
        let inherited = ["PATH": getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin", "LC_ALL": "C.UTF-8"]
        let environment = Self.settings(sandbox, inherited.merging(variables) { $1 }).map { "\($0)=\($1)" }
        let argv = ([path] + arguments).map { strdup($0) } + [nil]
        let env = environment.map { strdup($0) } + [nil]
        defer { for text in argv + env { free(text) } }
        return body(argv, env)
    }
}
