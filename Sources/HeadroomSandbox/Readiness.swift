import Glibc

/// Finds out whether a server lets clients in.
package enum Readiness {
    /// Waits until the server at the socket greets.
    ///
    /// A connection alone does not tell: the server listens before it has run its initial statements.
    ///
    /// - Returns: Whether it greeted before `hasEnded` said that it is no use waiting, or 30 s had passed.
    package static func wait(for socket: String, unless hasEnded: () -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline, !hasEnded() {
            if await greets(socket) { return true }
            try await Task.sleep(for: .milliseconds(5))
        }
        return false
    }

    private static func greets(_ path: String) async -> Bool {
        let descriptor = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC | O_NONBLOCK, 0)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        guard connect(descriptor, path) else { return false }
        for _ in 0..<2_000 {
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&request, 1, 0) > 0 {
                var byte: UInt8 = 0
                return recv(descriptor, &byte, 1, 0) == 1
            }
            try? await Task.sleep(for: .milliseconds(5))
            if Task.isCancelled { return false }
        }
        return false
    }

    private static func connect(_ descriptor: Int32, _ path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            for (index, byte) in path.utf8.prefix(place.count - 1).enumerated() { place[index] = byte }
        }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
            }
        }
    }

    /// Finds a TCP port of 127.0.0.1 that nobody listens at, for a server that is about to be started.
    ///
    /// Until the server listens it is anybody's, so it is none of those that the kernel gives to outgoing connections (from
    /// 32,768, `ip_local_port_range`): under load one of them would have it within the second that a server takes to start.
    ///
    /// - Throws: ``SandboxError`` when there is none.
    package static func freePort() throws -> Int {
        for _ in 0..<100 {
            let port = UInt16.random(in: ports)
            let descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0)
            defer { close(descriptor) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = inet_addr("127.0.0.1")
            let isFree = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isFree { return Int(port) }
        }
        throw SandboxError(.startFailed, "No TCP port can be had: \(Files.lastError).")
    }

    /// The ports for private servers.
    package static let ports: Range<UInt16> = 20_000..<32_000
}
