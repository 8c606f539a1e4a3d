import CLibrary
import Logging
import Synchronization

/// The file in which a user's programs remember the keys of servers: `memory/server-keys-UID` in a state folder of the user's.
///
/// One for each user, whom nobody else can speak for: so root has its own where root alone can write, whatever folder the
/// settings name.
package struct ServerKeyFile: Hashable, Sendable {
    private let folder: StateFolder?

    /// - Parameter named: The state folder that the settings name, if they do.
    package init(_ named: String?) {
        folder = StateFolder(named).ofThisUser
    }

    /// The file's path; `nil` when there is no folder that it could be in.
    package var path: String? { folder.map { "\($0.path)/memory/\(name)" } }

    private var name: String { "server-keys-\(geteuid())" }

    /// The largest file that is read: far more than ``ServerKeys/most`` lines have.
    private static let largest = 1 << 20

    /// Reads what is remembered.
    ///
    /// - Returns: What is remembered; nothing when there is no file, or none can be kept here.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`, also when it cannot be told whether there is a file.
    package func read() throws(DatabaseError) -> ServerKeys {
        guard let path else { return ServerKeys() }
        do throws(RegularFile.Problem) {
            let descriptor = try RegularFile.open(path, O_RDONLY)
            defer { close(descriptor) }
            var information = stat()
            guard fstat(descriptor, &information) == 0, information.st_uid == geteuid() else { throw .system(EPERM) }
            return ServerKeys(String(decoding: try RegularFile.read(descriptor, atMost: Self.largest), as: UTF8.self))
        } catch .system(ENOENT) {
            return ServerKeys()
        } catch {
            throw DatabaseError(
                .stateFolderUnusable,
                message: "\(path), which has the keys of servers, cannot be read: \(error).",
                advice: "Remove what is there, or name another folder with HEADROOM_STATE_DIR."
            )
        }
    }

    /// Changes what is remembered, as the only one of this user's programs at a time.
    ///
    /// - Parameter change: Changes it.
    /// - Returns: Whether it was done; false when another program is at it.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    @discardableResult package func update(_ change: (inout ServerKeys) -> Void) throws -> Bool {
        guard let folder, let path else {
            throw DatabaseError(
                .stateFolderUnusable,
                message: "Root has no folder for the keys of servers that only root can write to.",
                advice: "Let root's home be root's alone, or name such a folder with HEADROOM_STATE_DIR."
            )
        }
        let place = try folder.folder("memory")
        guard let lock = try FileLock(path: "\(place)/\(name).lock") else { return false }
        defer { withExtendedLifetime(lock) {} }
        var keys = try read()
        let before = keys.text
        change(&keys)
        guard keys.text != before else { return true }
        do throws(RegularFile.Problem) {
            try RegularFile.write(path, keys.text, mode: 0o600, isDurable: true)
        } catch {
            throw DatabaseError(
                .stateFolderUnusable,
                message: "\(path), which has the keys of servers, cannot be written: \(error).",
                advice: "Check the disk and the rights, or name another folder with HEADROOM_STATE_DIR."
            )
        }
        return true
    }

    private static let hasWarned = Atomic(false)

    /// Remembers what a login has shown of a server of which nothing of the kind is known; never fails for that.
    ///
    /// - Parameters:
    ///   - facts: What it has shown.
    ///   - place: The server's place.
    /// - Returns: Whether all of it is remembered now.
    func remember(_ facts: [ServerKeys.Fact], of place: String) -> Bool {
        do {
            var areAll = true
            let isDone = try update { keys in
                let here = keys.entries.filter { $0.place == place }
                for fact in facts where !here.contains(where: { $0.fact.isOfKind(of: fact) }) {
                    keys.remember(fact, of: place, on: Self.today)
                }
                areAll = facts.allSatisfy { fact in keys.entries.contains { $0.place == place && $0.fact == fact } }
            }
            return isDone && areAll
        } catch {
            // Once: the next login has the same to say.
            guard !Self.hasWarned.exchange(true, ordering: .relaxed) else { return false }
            Logger.current.warning(
                "The keys of servers are not remembered, so each login is a first one to this program: \(error)"
            )
            return false
        }
    }

    /// The day, in UTC.
    package static var today: String {
        var moment = time(nil)
        var parts = tm()
        gmtime_r(&moment, &parts)
        func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(parts.tm_year + 1900)-\(digits(parts.tm_mon + 1))-\(digits(parts.tm_mday))"
    }
}

extension ServerKeys.Fact {
    /// Whether one fact of the kind is enough: the key of a certificate, a key that is sent, a user without a password.
    fileprivate func isOfKind(of other: Self) -> Bool {
        switch (self, other) {
        case (.key(let mine), .key(let its)): mine.kind == its.kind
        default: self == other
        }
    }
}
