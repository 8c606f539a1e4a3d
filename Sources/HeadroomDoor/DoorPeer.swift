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
            name =
                (isUnix ? nil : Self.user(ofPeer: descriptor)).map { "\(UserName.of($0)) over TCP" } ?? "a TCP client"
            process = 0
            return
        }
        process = who.process
        let command = (try? RegularFile.read("/proc/\(who.process)/comm", atMost: 64)) ?? []
        let text = command.filter { (0x20..<0x7F).contains($0) }
        name = text.isEmpty ? UserName.of(who.user) : String(decoding: text, as: UTF8.self)
    }

    /// Asks the kernel whose the other end of a connection of this host is (sock_diag(7)): one look-up, whatever number there are.
    private static func user(ofPeer descriptor: Int32) -> uid_t? {
        var (peer, own) = (sockaddr_storage(), sockaddr_storage())
        func address(
            _ storage: inout sockaddr_storage,
            _ call: (Int32, UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32
        )
            -> [UInt8]?
        {
            var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
            let result = withUnsafeMutablePointer(to: &storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call(descriptor, $0, &size) }
            }
            guard result == 0 else { return nil }
            // The port, and behind it the address: of IPv6 after a word that is not needed.
            return withUnsafeBytes(of: storage) { bytes in
                let isV6 = Int32(storage.ss_family) == AF_INET6
                return Array(bytes[2..<4])
                    + (isV6 ? Array(bytes[8..<24]) : Array(bytes[4..<8]) + [UInt8](repeating: 0, count: 12))
            }
        }
        guard let source = address(&peer, { getpeername($0, $1, &$2) }),
            let target = address(&own, { getsockname($0, $1, &$2) })
        else { return nil }
        // struct nlmsghdr, and behind it struct inet_diag_req_v2: any state, no extension, the two ends, no interface, no cookie.
        var question = Login.bytes(72, 4) + Login.bytes(20, 2) + Login.bytes(1, 2) + [UInt8](repeating: 0, count: 8)
        question +=
            [UInt8(truncatingIfNeeded: peer.ss_family), UInt8(IPPROTO_TCP), 0, 0] + [UInt8](repeating: 0xFF, count: 4)
        question += source.prefix(2) + target.prefix(2) + source.dropFirst(2) + target.dropFirst(2)
        question += [UInt8](repeating: 0, count: 4) + [UInt8](repeating: 0xFF, count: 8)
        guard let answer = ask(question), answer.count >= 84, answer[4] == 20 else { return nil }
        return answer[80..<84].reversed().reduce(0) { $0 << 8 | uid_t($1) }
    }

    private static func ask(_ question: [UInt8]) -> [UInt8]? {
        let netlink = socket(AF_NETLINK, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 4)
        guard netlink >= 0 else { return nil }
        defer { close(netlink) }
        var answer = [UInt8](repeating: 0, count: 512)
        guard send(netlink, question, question.count, 0) == question.count else { return nil }
        let count = recv(netlink, &answer, answer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? Array(answer.prefix(count)) : nil
    }
}

/// Names of users, each looked up once: the system may ask a directory service.
private enum UserName {
    private nonisolated(unsafe) static var known: [uid_t: String] = [:]

    /// The name; for the event loop's thread alone.
    static func of(_ user: uid_t) -> String {
        if let name = known[user] { return name }
        let name = getpwuid(user).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? "user \(user)"
        if known.count < 256 { known[user] = name }
        return name
    }
}
