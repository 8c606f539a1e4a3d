import Subprocess
import SystemPackage

/// Runs a program to its end.
package enum Program {
    /// Runs a program and returns what it printed, standard error included.
    ///
    /// - Throws: ``SandboxError`` with the end of what it printed, when it fails.
    @discardableResult
    package static func run(_ path: String, _ arguments: [String], doing what: String) async throws -> String {
        let result = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: Arguments(arguments),
            output: .string(limit: 1 << 20),
            error: .combinedWithOutput
        )
        let output = result.standardOutput
        guard result.terminationStatus.isSuccess else {
            // What went wrong stands in a line that says so, often far from the end.
            let lines = output.unicodeScalars.split(separator: "\n").map(String.init)
            let telling = lines.filter { $0.lowercased().contains("error") }
            let shown = (telling.isEmpty ? lines.suffix(5) : telling.prefix(5)).joined(separator: "; ")
            throw SandboxError(.setupFailed, "\(path) failed at \(what) (\(result.terminationStatus)): \(shown)")
        }
        return output
    }

    /// Removes a folder with all that is in it; one that is not there is all right.
    package static func remove(_ folder: String) async {
        _ = try? await run("/bin/rm", ["-rf", "--", folder], doing: "removing a folder")
    }
}
