import Headroom

/// The sockets of this host that lead to one server, picked out of all of them.
struct ServerSockets: Sendable {
    /// The clients' ends, by inode.
    var clients: [UInt64: Client] = [:]

    /// How many connections come from other hosts or from containers of this one, by address; `nil` stands for unix sockets.
    var elsewhere: [HostAddress?: Int] = [:]

    /// Whether something listens where the server should; `nil` when that cannot be seen from here.
    var isListening: Bool?

    /// Unix connections to the server whose other end the kernel did not tell.
    var unixWithoutPeer = 0

    /// A client's end of a connection.
    struct Client: Sendable, Hashable {
        /// The client's own address; `nil` on a unix socket.
        var local: HostPort?
        var user: UInt32?
        var silence: Duration?
        var hasPending: Bool
    }

    /// Picks out the sockets.
    ///
    /// - Parameters:
    ///   - places: The known ways to the server.
    ///   - unix: All unix sockets of the host.
    ///   - tcp: All TCP sockets of the host.
    ///   - isMonitored: Whether the lists come from the socket monitor, which knows the other ends of unix sockets.
    init(_ places: ServerPlaces, unix: [UnixSocket], tcp: [TCPSocket], isMonitored: Bool) {
        pickUnix(places, unix, isMonitored)
        pickTCP(places, tcp)
        if places.isHere { isListening = isListening ?? false }
    }

    private mutating func pickUnix(_ places: ServerPlaces, _ unix: [UnixSocket], _ isMonitored: Bool) {
        let byInode = Dictionary(unix.map { ($0.inode, $0) }) { first, _ in first }
        for socket in unix where Self.leads(socket, places) {
            guard !socket.isListening else {
                isListening = true
                continue
            }
            guard isMonitored, let peer = socket.peer else {
                unixWithoutPeer += 1
                continue
            }
            guard let client = byInode[peer] else {
                // Of another network namespace, or still being accepted.
                elsewhere[nil, default: 0] += 1
                continue
            }
            // A request that the server has not read yet lies in the queue of the server's end.
            clients[peer] = Client(user: client.user, hasPending: client.hasPending || socket.hasPending)
        }
    }

    private static func leads(_ socket: UnixSocket, _ places: ServerPlaces) -> Bool {
        guard let path = socket.path else { return false }
        if places.paths.contains(path) { return true }
        // Numbers of files are unique within one file system only, so the name has to be the same as well.
        guard let file = socket.file, places.files.contains(file) else { return false }
        let name = path.pieces(separator: "/").last
        return places.paths.contains { $0.pieces(separator: "/").last == name }
    }

    private mutating func pickTCP(_ places: ServerPlaces, _ tcp: [TCPSocket]) {
        /// The two ends of a connection as its server has them.
        struct Ends: Hashable {
            var local: HostPort
            var remote: HostPort
        }
        let listening = Set(tcp.filter { $0.state == .listening }.map(\.local.port)).intersection(places.ports)
        if !listening.isEmpty { isListening = true }
        var served: [Ends: TCPSocket] = [:]
        for socket in tcp where socket.state == .established && listening.contains(socket.local.port) {
            served[Ends(local: socket.local, remote: socket.remote)] = socket
        }
        for socket in tcp where socket.state == .established && socket.inode != 0 {
            let other = served.removeValue(forKey: Ends(local: socket.remote, remote: socket.local))
            guard other != nil || places.addresses.contains(socket.remote) else { continue }
            clients[socket.inode] = Client(
                local: socket.local,
                user: socket.user,
                silence: socket.silence,
                hasPending: socket.hasPending || other?.hasPending ?? false
            )
        }
        for ends in served.keys { elsewhere[ends.remote.address, default: 0] += 1 }
    }
}
