import CLibrary

/// Opens files without trust in what stands at their paths.
///
/// A path may lead elsewhere than its name says: through a link that another user planted, to a FIFO that never answers, to a
/// device without an end. So whatever lies where others may write is opened here: without waiting, not through a link in the
/// last place unless that is asked for, and only when it is a regular file.
package enum RegularFile {
    /// What becomes of a link in the last place of a path.
    package enum Links: Sendable {
        /// It is refused: nothing of Headroom's own is a link.
        case refused
        /// It is followed: people and orchestrators put links to settings.
        case followed
    }

    /// Why a file was not opened or read.
    package enum Problem: Error, Hashable, Sendable, CustomStringConvertible {
        /// The system's error number.
        case system(Int32)
        /// The path is a link.
        case isLink
        /// The path is a folder, a FIFO, a socket or a device.
        case isNotRegular
        /// The file has more bytes than it may.
        case isTooLarge(atMost: Int)

        /// The reason, as it goes after a colon.
        package var description: String {
            switch self {
            case .system(let number): String(cString: strerror(number))
            case .isLink: "it is a link"
            case .isNotRegular: "it is no regular file"
            case .isTooLarge(let most): "it is larger than \(most) bytes"
            }
        }
    }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - flags: As for open(2); `O_CLOEXEC`, `O_NONBLOCK`, `O_NOCTTY` and `O_NOFOLLOW` come by themselves. Not
    ///     `O_TRUNC`: what it empties is looked at too late.
    ///   - mode: The rights of a file that is made, before the umask.
    ///   - links: What becomes of a link in the last place.
    /// - Returns: The descriptor, which the caller closes.
    /// - Throws: ``Problem``; what was opened is closed again.
    package static func open(
        _ path: String,
        _ flags: Int32,
        mode: UInt32 = 0o600,
        links: Links = .refused
    ) throws(Problem) -> Int32 {
        let follow = links == .refused ? O_NOFOLLOW : 0
        let descriptor = CLibrary.open(
            path,
            flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | follow,
            mode_t(truncatingIfNeeded: mode)
        )
        guard descriptor >= 0 else {
            let number = errno
            if number == ELOOP, links == .refused, isLink(path) { throw .isLink }
            // A folder that is to be written to, a FIFO without a reader, a socket.
            if number == EISDIR || number == ENXIO { throw .isNotRegular }
            throw .system(number)
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .isNotRegular
        }
        return descriptor
    }

    /// Reads a whole file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - most: The most bytes that it may have.
    ///   - links: What becomes of a link in the last place.
    /// - Returns: The bytes.
    /// - Throws: ``Problem``.
    package static func read(_ path: String, atMost most: Int, links: Links = .refused) throws(Problem) -> [UInt8] {
        let descriptor = try open(path, O_RDONLY, links: links)
        defer { close(descriptor) }
        return try read(descriptor, atMost: most)
    }

    /// Reads what an open file has from its position on.
    ///
    /// - Parameters:
    ///   - descriptor: The open file.
    ///   - most: The most bytes that there may be.
    /// - Returns: The bytes.
    /// - Throws: ``Problem``.
    package static func read(_ descriptor: Int32, atMost most: Int) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = CLibrary.read(descriptor, &block, block.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(errno) }
            guard count > 0 else { return bytes }
            bytes += block[..<count]
            guard bytes.count <= most else { throw .isTooLarge(atMost: most) }
        }
    }

    private static func isLink(_ path: String) -> Bool {
        var information = stat()
        return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFLNK
    }
}
