import CommandSupport
import Glibc
import Headroom
import HeadroomWeb

/// The file of those who may sign in.
enum UserFile {
    /// The file's content.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it cannot be read, or others may read it.
    static func read(_ path: String) throws -> String {
        do {
            // Secrets of systemd and of containers are links; whose the file is, the administrator has said by naming it.
            let descriptor = try RegularFile.open(path, O_RDONLY, links: .followed)
            defer { close(descriptor) }
            var status = stat()
            guard fstat(descriptor, &status) == 0, status.st_mode & 0o007 == 0 else {
                throw failure(
                    path,
                    "may be read by every user of this host",
                    "Take that away: chmod 600 \(Escaping.shell(path))"
                )
            }
            return String(decoding: try RegularFile.read(descriptor, atMost: 1 << 20), as: UTF8.self)
        } catch let problem as RegularFile.Problem {
            throw failure(path, "cannot be read: \(problem)", problem.advice ?? "")
        }
    }

    /// Asks for a password and adds the user, or replaces the one of that name.
    static func add(_ name: String, to path: String) async throws {
        let old = access(path, F_OK) == 0 ? try read(path) : ""
        let line = try await Credentials.line(name: name, password: try password(for: name))
        let others = old.pieces(separator: "\n").filter { !$0.begins(with: "\(name):") }.map { "\($0)\n" }.joined()
        try replace(path, with: others + line)
        Console.print("\(name) may sign in; the dashboard reads the file when it starts")
    }

    /// The password: asked for on a terminal, else the first line of standard input.
    private static func password(for name: String) throws -> String {
        isatty(STDIN_FILENO) == 1 ? try TypedPassword.read("Password for \(name)") : readLine() ?? ""
    }

    /// In one step: a reader sees the old file or the new one, which has the old one's owner and rights.
    private static func replace(_ path: String, with text: String) throws {
        do throws(RegularFile.Problem) {
            try RegularFile.write(path, text, mode: 0o600, earlier: .passedOn, isDurable: true)
        } catch {
            throw failure(path, "cannot be written: \(error)", error.advice ?? "")
        }
    }

    private static func failure(_ path: String, _ what: String, _ advice: String = "") -> DatabaseError {
        DatabaseError(.settingsInvalid, message: "\(path) \(what).", advice: advice)
    }
}
