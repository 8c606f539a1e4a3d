import Glibc
import Synchronization
import Testing

/// A web server for one request.
final class OneRequestServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let reply: String
    private let text = Mutex("")
    private let thread = Mutex<pthread_t>(0)

    // It sends whoever asks to the location; without one it answers that all is well, or what it is to.
    init(location: String? = nil, status: String = "204 No Content") throws {
        reply =
            location.map { "HTTP/1.1 307 Temporary Redirect\r\nLocation: \($0)\r\nContent-Length: 0\r\n" }
            ?? "HTTP/1.1 \(status)\r\n"
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size) == 0 && listen(listener, 5) == 0
                    && getsockname(listener, address, &size) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
        var thread = pthread_t()
        pthread_create(
            &thread,
            nil,
            { server in
                server.map { Unmanaged<OneRequestServer>.fromOpaque($0).takeUnretainedValue().answer() }
                return nil
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
        self.thread.withLock { $0 = thread }
    }

    private func answer() {
        let client = accept(listener, nil, nil)
        var bytes = [UInt8](repeating: 0, count: 8192)
        var text = ""
        while !text.hasSuffix("}") {
            let count = recv(client, &bytes, bytes.count, 0)
            guard count > 0 else { break }
            text += String(decoding: bytes[..<count], as: UTF8.self)
        }
        self.text.withLock { $0 = text }
        _ = "\(reply)Connection: close\r\n\r\n".withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
        close(client)
    }

    /// The request, once it has been answered.
    func request() -> String {
        // Whoever never called lets go of the listener here.
        shutdown(listener, Int32(SHUT_RDWR))
        pthread_join(thread.withLock(\.self), nil)
        close(listener)
        return text.withLock(\.self)
    }
}
