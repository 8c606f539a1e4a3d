import Glibc
import Headroom

/// A TCP port of this machine that tests stand in with; each connection is served on a thread of its own.
package func listen(_ serve: @escaping @Sendable (Int32) -> Void) throws -> (descriptor: Int32, port: Int) {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
            bind(listener, address, size) == 0 && Glibc.listen(listener, 8) == 0
                && getsockname(listener, address, &size) == 0
        }
    }
    guard listener >= 0, isBound else { throw NoPort() }
    try answer(at: listener, serve)
    return (listener, Int(UInt16(bigEndian: address.sin_port)))
}

/// The same at a unix socket.
package func listen(path: String, _ serve: @escaping @Sendable (Int32) -> Void) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let room = MemoryLayout.size(ofValue: address.sun_path) - 1
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(room)) }
    let isBound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0 && Glibc.listen(listener, 8) == 0
        }
    }
    guard listener >= 0, isBound else { throw NoPort() }
    try answer(at: listener, serve)
    return listener
}

private func answer(at listener: Int32, _ serve: @escaping @Sendable (Int32) -> Void) throws {
    try startDetachedThread(named: "test-listen") {
        while case let peer = accept(listener, nil, nil), peer >= 0 {
            // A client that gets no thread sees its connection closed.
            let isServed: ()? = try? startDetachedThread(named: "test-serve") {
                serve(peer)
                close(peer)
            }
            if isServed == nil { close(peer) }
        }
    }
}

private struct NoPort: Error {}
