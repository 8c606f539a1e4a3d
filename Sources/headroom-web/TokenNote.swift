import CommandSupport
import Glibc
import Headroom

/// Hands the token that was made for this run to its owner, and to nobody else.
///
/// A terminal is its owner's. What a service writes goes to a journal that others read and that keeps it, so there it is put
/// into a file that only its owner can read, and only the path is said.
enum TokenNote {
    /// Says how to sign in.
    ///
    /// - Throws: ``DatabaseError`` when the file cannot be written.
    static func give(_ token: String, _ settings: DatabaseSettings) throws {
        guard Console.isTerminal else {
            let path = try AccountMemory(settings, topic: "web-token").path(ending: "")
            try write(token, to: path)
            Console.error("  sign in with the token in \(path) (set HEADROOM_WEB_TOKEN to choose your own)")
            return
        }
        Console.error("  sign in with the token \(token) (set HEADROOM_WEB_TOKEN to choose your own)")
    }

    private static func write(_ token: String, to path: String) throws {
        let draft = "\(path).\(getpid()).\(UInt64.random(in: 0...(.max)))"
        do {
            let descriptor = try RegularFile.open(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            defer { close(descriptor) }
            let bytes = Array("\(token)\n".utf8)
            guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, rename(draft, path) == 0 else {
                throw RegularFile.Problem.system(errno)
            }
        } catch {
            unlink(draft)
            throw DatabaseError(
                .stateFolderUnusable,
                message: "The token to sign in with cannot be written to \(path): \(error).",
                advice: "Choose a token with HEADROOM_WEB_TOKEN, or another folder with HEADROOM_STATE_DIR."
            )
        }
    }
}
