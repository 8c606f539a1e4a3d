import Glibc

/// Asks the kernel's socket monitor for the sockets of this host.
struct SocketMonitor {
    /// Why the monitor does not answer; the tables in /proc are read then.
    struct Unavailable: Error {
        var number: Int32
    }

    /// The unix stream sockets that are connected or listening.
    static func unixSockets() throws(Unavailable) -> [UnixSocket] {
        try dump(SocketMessages.unixRequest, SocketMessages.unixSocket)
    }

    /// The TCP sockets that are connected or listening, IPv4 and IPv6.
    static func tcpSockets() throws(Unavailable) -> [TCPSocket] {
        let four = try dump(SocketMessages.tcpRequest(isIPv6: false), SocketMessages.tcpSocket)
        // A host without IPv6 answers with none, or not at all.
        let six = try? dump(SocketMessages.tcpRequest(isIPv6: true), SocketMessages.tcpSocket)
        return four + (six ?? [])
    }

    private static func dump<Found>(
        _ request: [UInt8],
        _ read: (MessageReader) -> Found?
    ) throws(Unavailable) -> [Found] {
        // AF_NETLINK and NETLINK_SOCK_DIAG, which Swift's Glibc module does not name.
        let monitor = socket(16, Int32(SOCK_RAW.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 4)
        guard monitor >= 0 else { throw Unavailable(number: errno) }
        defer { close(monitor) }
        guard send(monitor, request, request.count, 0) == request.count else { throw Unavailable(number: errno) }
        var found: [Found] = []
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = recv(monitor, &buffer, buffer.count, 0)
            guard count > 0 else { throw Unavailable(number: count < 0 ? errno : EIO) }
            for message in SocketMessages.messages(in: buffer[..<count]) {
                switch message {
                case .socket(let message): if let socket = read(message) { found.append(socket) }
                case .done: return found
                case .failed(let number): throw Unavailable(number: number)
                }
            }
        }
    }
}
