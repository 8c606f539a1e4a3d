package import HeadroomSandbox
internal import Subprocess
import SystemPackage

/// Silent sessions of the account, in a program of their own.
package enum Held {
    /// Runs the body while the sessions are open.
    package static func with(
        _ count: Int,
        _ sandbox: Sandbox,
        holder: String,
        _ body: () async throws -> Void
    ) async throws {
        let options = sandbox.options
        _ = try await Subprocess.run(
            .path(FilePath(holder)),
            // All over the socket, none at work, as this user; it says on its output when all are open.
            arguments: [
                sandbox.socket, "0", options.username, options.password, "\(count)", "0", "-1", "-1", "/dev/stdout",
            ],
            input: .inputWriter,
            output: .sequence,
            error: .discarded
        ) { execution in
            for try await line in execution.standardOutput.strings() {
                guard line.hasPrefix("ready") else {
                    throw BenchmarkFailure(what: "\(count) sessions cannot be opened (is ulimit -n too low?): \(line)")
                }
                break
            }
            try await body()
            // It ends with its input.
            try await execution.standardInputWriter.finish()
        }
    }
}
