import CKernel
import Glibc

/// A duplicate of another process's connection to the server, by which it can be hung up from outside.
struct ForeignSocket: ~Copyable {
    private let descriptor: Int32

    /// Why a socket cannot be taken hold of.
    enum Obstacle: Error, Hashable, Sendable {
        /// The process has ended.
        case processGone
        /// The kernel does not let this user look into the process.
        case notPermitted
        /// The kernel, or the container, does not know the call.
        case unsupported
        /// The descriptor is another by now, or leads elsewhere.
        case changed
        /// The kernel's error number.
        case failed(Int32)

        init(_ number: Int32) {
            self =
                switch number {
                case ESRCH: .processGone
                case EPERM, EACCES: .notPermitted
                case ENOSYS: .unsupported
                case EBADF: .changed
                default: .failed(number)
                }
        }
    }

    /// Takes hold of a socket, and makes sure that it still is the one that was seen.
    init(_ socket: HostSocket, of process: Int32) throws(Obstacle) {
        let handle = kernel_pidfd_open(process)
        guard handle >= 0 else { throw Obstacle(errno) }
        defer { close(handle) }
        let copy = kernel_pidfd_getfd(handle, socket.descriptor)
        guard copy >= 0 else { throw Obstacle(errno) }
        var information = stat()
        // Between the look and now the descriptor may have been closed and its number used again.
        guard fstat(copy, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK,
            UInt64(information.st_ino) == socket.inode, Self.isConnected(copy)
        else {
            close(copy)
            throw .changed
        }
        descriptor = copy
    }

    deinit { close(descriptor) }

    /// Ends the connection: the server sees its client hang up; the client's process lives on.
    func hangUp() throws(Obstacle) {
        guard shutdown(descriptor, Int32(SHUT_RDWR)) == 0 else { throw Obstacle(errno) }
    }

    private static func isConnected(_ descriptor: Int32) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 128, alignment: 8) { buffer in
            guard let start = buffer.baseAddress else { return false }
            var size = socklen_t(buffer.count)
            return getpeername(descriptor, start.assumingMemoryBound(to: sockaddr.self), &size) == 0
        }
    }
}
