import CLibrary
package import Headroom

/// Where the door listens.
package enum DoorPlace: Sendable, Hashable, CustomStringConvertible {
    case unix(path: String)
    case tcp(host: String, port: UInt16)

    package var description: String {
        switch self {
        case .unix(let path): path
        case .tcp(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// Reads a place: a path with a slash, or a port or ADDRESS:PORT of the loopback interface.
    package init?(_ text: String) {
        if text.utf8.contains(UInt8(ascii: "/")) {
            guard text.utf8.count < 108, !text.utf8.contains(0) else { return nil }
            self = .unix(path: text)
            return
        }
        guard
            case .tcp(let host, let port)? = Endpoint.list(
                text.utf8.allSatisfy { 48...57 ~= $0 } ? "127.0.0.1:\(text)" : text,
                port: 0
            )?
            .first,
            let number = UInt16(exactly: port), number > 0
        else { return nil }
        self = .tcp(host: host, port: number)
    }

    /// Whether somebody listens there.
    package var isAlive: Bool {
        switch self {
        case .unix(let path): return DoorListener.isAlive(path)
        case .tcp(let host, let port):
            // Whoever may listen there finds it free.
            guard let listener = try? DoorListener(.tcp(host: host, port: port), mode: 0, group: nil) else {
                return true
            }
            listener.close(isLeft: true)
            return false
        }
    }

    /// Whether it is where the settings have the server.
    package func isServer(of settings: DatabaseSettings) -> Bool {
        ([settings.endpoint] + settings.otherEndpoints)
            .contains { endpoint in
                switch (self, endpoint) {
                case (.unix(let own), .socket(let path)):
                    var (left, right) = (stat(), stat())
                    return own == path
                        || stat(own, &left) == 0 && stat(path, &right) == 0 && left.st_ino == right.st_ino
                            && left.st_dev == right.st_dev
                case (.tcp(_, let port), .tcp(let host, let number)):
                    return Int(port) == number
                        && (host == "localhost" || host == "::1" || host.utf8.starts(with: "127.".utf8))
                default: return false
                }
            }
    }

    /// Whether nobody but this host can reach it.
    package var isLocal: Bool {
        switch self {
        case .unix: true
        case .tcp(let host, _): host == "::1" || host.utf8.starts(with: "127.".utf8)
        }
    }
}

/// A socket that listens for the door.
struct DoorListener: Sendable {
    let place: DoorPlace
    let descriptor: Int32

    /// Whether whoever has made it goes on with it when this process does not: `headroom up`.
    private let isLent: Bool

    /// Listens.
    ///
    /// A socket file that nobody listens at, as one that was killed leaves it, is taken away first.
    ///
    /// - Parameters:
    ///   - place: Where.
    ///   - mode: The rights to the socket file.
    ///   - group: The group of the socket file; the process's own when `nil`.
    ///   - replacing: Whether the file is taken from who listens there.
    /// - Throws: ``DatabaseError``.
    init(_ place: DoorPlace, mode: UInt32, group: UInt32?, replacing: Bool = false) throws(DatabaseError) {
        (self.place, isLent) = (place, false)
        switch place {
        case .unix(let path): descriptor = try Self.listen(path: path, mode: mode, group: group, replacing)
        case .tcp(let host, let port): descriptor = try Self.listen(host: host, port: port)
        }
    }

    /// Takes over a socket that listens already.
    init(_ place: DoorPlace, taking descriptor: Int32, isLent: Bool = false) {
        (self.place, self.descriptor, self.isLent) = (place, descriptor, isLent)
    }

    private static func listen(path: String, mode: UInt32, group: UInt32?, _ replacing: Bool) throws(DatabaseError)
        -> Int32
    {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let name = String(path[slash...].dropFirst())
        // Under another name first: nobody finds it before its rights are as they should be.
        let own = "\(name).\(getpid())"
        let descriptor = kernel_stream_socket(AF_UNIX)
        guard descriptor >= 0 else { throw .hostExhausted("descriptor", error: errno) }
        do throws(RegularFile.Problem) {
            let folder = try OpenFolder(slash == path.startIndex ? "/" : String(path[..<slash]))
            do throws(RegularFile.Problem) { try folder.remove(own) } catch {}
            func check(_ result: Int32) throws(RegularFile.Problem) { if result != 0 { throw .system(errno) } }
            try check(unixAddress("\(path).\(getpid())") { bind(descriptor, $0, $1) })
            do throws(RegularFile.Problem) {
                try check(fchmodat(folder.descriptor, own, mode, 0))
                if let group { try check(fchownat(folder.descriptor, own, .max, group, AT_SYMLINK_NOFOLLOW)) }
                if !replacing, isAlive(path) { throw .system(EADDRINUSE) }
                // With a full queue PHP fails at once.
                try check(CLibrary.listen(descriptor, 4096))
                try folder.rename(own, to: name)
            } catch {
                do throws(RegularFile.Problem) { try folder.remove(own) } catch {}
                throw error
            }
        } catch {
            close(descriptor)
            var number = EACCES
            if case .system(let found) = error { number = found }
            throw failure(.unix(path: path), number)
        }
        return descriptor
    }

    /// Takes a socket file away.
    static func remove(_ path: String) {
        do throws(RegularFile.Problem) {
            try RegularFile.remove(path)
        } catch {
            // It has gone, or stands in a folder that is another's by now.
        }
    }

    private static func listen(host: String, port: UInt16) throws(DatabaseError) -> Int32 {
        let isV6 = host.utf8.contains(UInt8(ascii: ":"))
        let descriptor = kernel_stream_socket(isV6 ? AF_INET6 : AF_INET)
        guard descriptor >= 0 else { throw .hostExhausted("descriptor", error: errno) }
        var one: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, 4)
        var result: Int32
        if isV6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            inet_pton(AF_INET6, host, &address.sin6_addr)
            result = Self.with(&address) { bind(descriptor, $0, $1) }
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            inet_pton(AF_INET, host, &address.sin_addr)
            result = Self.with(&address) { bind(descriptor, $0, $1) }
        }
        if result == 0 { result = CLibrary.listen(descriptor, 4096) }
        guard result == 0 else {
            let number = errno
            close(descriptor)
            throw failure(.tcp(host: host, port: port), number)
        }
        return descriptor
    }

    /// Whether somebody listens at a socket file.
    static func isAlive(_ path: String) -> Bool {
        let probe = kernel_stream_socket(AF_UNIX)
        guard probe >= 0 else { return false }
        defer { close(probe) }
        let result = unixAddress(path) { connect(probe, $0, $1) }
        return result == 0 || errno == EAGAIN
    }

    static func unixAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        guard path.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            errno = ENAMETOOLONG
            return -1
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        return with(&address, body)
    }

    private static func with<Address>(
        _ address: inout Address,
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }

    private static func failure(_ place: DoorPlace, _ number: Int32) -> DatabaseError {
        DatabaseError(
            .settingsInvalid,
            message: "The door cannot listen at \(place): \(String(cString: strerror(number))).",
            advice: number == EADDRINUSE
                ? "Another program listens there; if it is a door, '--replace' takes its place without losing a client."
                : "Name another place with --listen, in a folder that this user may write to."
        )
    }

    /// Stops listening.
    ///
    /// - Parameter isLeft: Whether another door goes on with the same socket.
    func close(isLeft: Bool) {
        if case .unix(let path) = place, !isLeft, !isLent { Self.remove(path) }
        CLibrary.close(descriptor)
    }

    private func close(_ descriptor: Int32) { CLibrary.close(descriptor) }
    private static func close(_ descriptor: Int32) { CLibrary.close(descriptor) }
}
