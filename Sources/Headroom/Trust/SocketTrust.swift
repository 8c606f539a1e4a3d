import CLibrary

/// Tells whether a unix socket can be another user's than the server's: while a server is down, a user who may write to the
/// folder of its socket can listen in its place.
struct SocketTrust {
    private let path: String
    private let steps: [PathStep]
    private let user: UInt32

    /// Looks at a socket and the way to it.
    init(_ path: String) {
        self.init(path, PathStep.all(to: path) ?? [], user: geteuid())
    }

    /// The same with what was seen: nothing of a socket that is not there, or that has no file (Linux's abstract ones).
    init(_ path: String, _ steps: [PathStep], user: UInt32) {
        (self.path, self.steps, self.user) = (path, steps, user)
    }

    /// The same, looked at again if it was not there: its server may just have started.
    var seen: SocketTrust { steps.isEmpty ? SocketTrust(path) : self }

    /// Why another user can have put the socket there, worded to follow a colon; `nil` when none can have.
    var stranger: String? {
        for step in steps where !step.isPlaced(byFolderOr: isTrusted) {
            return
                "\(step.path) belongs to user \(step.entry.owner), and \(step.folder.otherWriters ?? "") may write to "
                + "its folder"
        }
        return nil
    }

    /// Why another user listens there; `nil` when it is the socket's owner, or a user who is trusted anyway.
    ///
    /// - Parameter listener: The user who listens.
    /// - Returns: The reason, as it goes after a colon.
    func stranger(listening listener: UInt32) -> String? {
        if let stranger { return stranger }
        if listener == steps.last?.entry.owner || isTrusted(listener) { return nil }
        return "user \(listener) listens there, whose socket it is not"
    }

    /// The user, root, and the one that servers run as.
    private func isTrusted(_ owner: UInt32) -> Bool {
        owner == user || OpenFolder.isRoot(owner) || Self.servers.contains(owner)
    }

    /// Looked up only where it matters: the system may ask a directory service.
    private static let servers: [UInt32] = ["mysql", "_mysql"]
        .compactMap { name in
            var (entry, found) = (passwd(), UnsafeMutablePointer<passwd>?.none)
            var room = [CChar](repeating: 0, count: 4096)
            return getpwnam_r(name, &entry, &room, room.count, &found) == 0 ? found?.pointee.pw_uid : nil
        }
}
