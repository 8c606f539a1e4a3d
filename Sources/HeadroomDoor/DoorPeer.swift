import CLibrary
import Headroom

/// Who a client is, as far as the kernel tells.
struct DoorPeer: Sendable {
    /// The program's name, such as `php-fpm8.2`; for TCP the user.
    let name: String

    /// The process; 0 when it is not known.
    let process: Int32

    /// As it stands in the slots.
    var label: String { process == 0 ? name : "\(name) (process \(process))" }

    /// Asks about a connection.
    ///
    /// Of a unix socket's peer the kernel knows the process. Over TCP only the user: which process has the other end would have to be
    /// looked for in every process, and another user's cannot be looked into.
    init(_ descriptor: Int32, isUnix: Bool) {
        // struct ucred: the process, its user, its group.
        var who: (process: Int32, user: uid_t, group: gid_t) = (0, .max, .max)
        var size = socklen_t(MemoryLayout.size(ofValue: who))
        guard isUnix, getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0, who.process > 0 else {
            name = "a TCP client"
            process = 0
            return
        }
        process = who.process
        let command = (try? RegularFile.read("/proc/\(who.process)/comm", atMost: 64)) ?? []
        let text = command.filter { (0x20..<0x7F).contains($0) }
        name = text.isEmpty ? "user \(who.user)" : String(decoding: text, as: UTF8.self)
    }
}
