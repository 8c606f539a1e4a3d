import Glibc
import Headroom

/// A question to a program behind a unix socket, which answers and hangs up.
struct LocalQuestion {
    private let path: String

    init(_ path: String) { self.path = path }

    /// The answer, a megabyte at the most.
    ///
    /// It is there within a millisecond or not at all, so that looking again and again costs less than being woken.
    func ask(_ question: String, until deadline: ContinuousClock.Instant) async throws -> String {
        let descriptor = try connect()
        defer { close(descriptor) }
        let bytes = Array(question.utf8)
        guard send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count else { throw failure(errno) }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while answer.count < 1 << 20 {
            let count = recv(descriptor, &part, part.count, 0)
            if count > 0 {
                answer += part.prefix(count)
            } else if count == 0 {
                break
            } else if errno == EAGAIN || errno == EINTR {
                guard ContinuousClock.now < deadline else { throw failure(ETIMEDOUT) }
                try await Task.sleep(for: .milliseconds(1))
            } else {
                throw failure(errno)
            }
        }
        return String(decoding: answer, as: UTF8.self)
    }

    private func connect() throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw failure(ENAMETOOLONG) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw failure(errno) }
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard result == 0 else {
            let number = errno
            close(descriptor)
            throw failure(number)
        }
        return descriptor
    }

    private func failure(_ number: Int32) -> DatabaseError {
        let code: DatabaseError.Code =
            switch number {
            case ENOENT: .socketNotFound
            case EACCES, EPERM: .socketNotPermitted
            default: .serverUnreachable
            }
        return DatabaseError(
            code,
            message: "Nothing answers at \(path): \(String(cString: strerror(number))).",
            advice: "Check that HAProxy runs, and that this user may use its socket."
        )
    }
}
