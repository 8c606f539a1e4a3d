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
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure(path, "cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & 0o007 == 0 else {
            throw failure(
                path,
                "may be read by every user of this host",
                "Take that away: chmod 600 \(Escaping.shell(path))"
            )
        }
        var bytes = [UInt8](repeating: 0, count: Int(min(status.st_size, 1 << 20)))
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { throw failure(path, "cannot be read: \(String(cString: strerror(errno)))") }
        return String(decoding: bytes[..<count], as: UTF8.self)
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
        let isTerminal = isatty(STDIN_FILENO) == 1
        var old = termios()
        if isTerminal {
            Console.write("password for \(name): ")
            tcgetattr(STDIN_FILENO, &old)
            var silent = old
            silent.c_lflag &= ~tcflag_t(ECHO)
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        }
        defer {
            if isTerminal {
                tcsetattr(STDIN_FILENO, TCSAFLUSH, &old)
                Console.write("\n")
            }
        }
        return readLine() ?? ""
    }

    /// In one step: whoever reads it meanwhile sees the old file or the new one.
    private static func replace(_ path: String, with text: String) throws {
        let new = "\(path).new"
        let descriptor = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(new, "cannot be written: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0, rename(new, path) == 0
        else {
            throw failure(path, "cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    private static func failure(_ path: String, _ what: String, _ advice: String = "") -> DatabaseError {
        DatabaseError(.settingsInvalid, message: "\(path) \(what).", advice: advice)
    }
}
