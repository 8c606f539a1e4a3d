import CommandSupport
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
            let path = try AccountNotes(settings, topic: "web-token").path(ending: "")
            do throws(RegularFile.Problem) {
                try RegularFile.write(path, "\(token)\n", mode: 0o600)
            } catch {
                throw DatabaseError(
                    .stateFolderUnusable,
                    message: "The token to sign in with cannot be written to \(path): \(error).",
                    advice: "Choose a token with HEADROOM_WEB_TOKEN, or another folder with HEADROOM_STATE_DIR."
                )
            }
            Console.error("  sign in with the token in \(path) (set HEADROOM_WEB_TOKEN to choose your own)")
            return
        }
        Console.error("  sign in with the token \(token) (set HEADROOM_WEB_TOKEN to choose your own)")
    }
}
