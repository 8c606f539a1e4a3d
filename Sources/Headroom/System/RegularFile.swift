import CLibrary

/// Opens files without trust in what stands at their paths.
///
/// A path may lead elsewhere than its name says: through a link that another user planted, to a FIFO that never answers, to a
/// device without an end, to another user's file with a second name. So whatever lies where others may write is opened here:
/// without waiting, not through a link in the last place unless that is asked for, only when it is a regular file, and only
/// when it belongs to somebody who may have put it there (``OpenFolder``). Each check is on the descriptor that is used
/// afterwards: between a look at a path and the opening, another file may be put in its place.
package enum RegularFile {
    /// What becomes of a link in the last place of a path.
    package enum Links: Sendable {
        /// It is refused: nothing of Headroom's own is a link. Whose the file is counts too.
        case refused
        /// It is followed: people and orchestrators put links to settings, and to anybody's files.
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
        /// A part of the path is a link or a file.
        case isNoFolder(String)
        /// The file has more bytes than it may.
        case isTooLarge(atMost: Int)
        /// The file has a second name, by which it may be another user's.
        case hasOtherNames
        /// The file belongs to somebody who did not make it where it is: most likely root, before it gave away what it made.
        case isForeign(path: String, owner: UInt32, of: UInt32, UInt32)
        /// Another user than root says where this part of the path leads.
        case leadsElsewhere(String)

        /// The reason, as it goes after a colon.
        package var description: String {
            switch self {
            case .system(let number): String(cString: strerror(number))
            case .isLink: "it is a link, and links are not followed here"
            case .isNotRegular: "it is no regular file"
            case .isNoFolder(let path): "\(path) is not a folder but a link or a file"
            case .isTooLarge(let most): "it is larger than \(most) bytes"
            case .hasOtherNames: "it has a second name (a hard link), so it may be another user's file"
            case .isForeign(let path, let owner, let folder, _):
                "\(path) belongs to user \(owner), in a folder of user \(folder)"
            case .leadsElsewhere(let path): "root does not follow \(path), which another user may change"
            }
        }

        /// What mends it, where that is known.
        package var advice: String? {
            switch self {
            case .isForeign(let path, _, let user, let group):
                "If it is Headroom's, left there by root, let root give it to the folder's owner: "
                    + "chown -R -h \(user):\(group) \(Escaping.shell(path)). Else remove it."
            case .isLink: "Name the file that it leads to, or remove the link."
            case .hasOtherNames: "Remove the name that is not wanted."
            case .leadsElsewhere: "Name the path without the link, or work as the user whose folder it is."
            case .isNotRegular, .isTooLarge: "See who made it and remove it."
            case .system, .isNoFolder: nil
            }
        }
    }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - flags: As for open(2); `O_CLOEXEC`, `O_NONBLOCK`, `O_NOCTTY` and `O_NOFOLLOW` come by themselves. Not
    ///     `O_TRUNC`: what it empties is looked at too late.
    ///   - mode: The rights of a file that is made, before the umask; what root makes in another user's folder is that user's.
    ///   - links: What becomes of a link in the last place.
    /// - Returns: The descriptor, which the caller closes.
    /// - Throws: ``Problem``; what was opened is closed again.
    package static func open(
        _ path: String,
        _ flags: Int32,
        mode: UInt32 = 0o600,
        links: Links = .refused
    ) throws(Problem) -> Int32 {
        if links == .refused {
            do throws(Problem) {
                let (folder, name) = parts(path)
                return try OpenFolder(folder).file(name, flags, mode: mode).descriptor
            } catch {
                throw explained(error, path)
            }
        }
        let descriptor = CLibrary.open(
            path,
            flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY,
            mode_t(truncatingIfNeeded: mode)
        )
        guard descriptor >= 0 else {
            // A folder that is to be written to, a FIFO without a reader, a socket.
            throw errno == EISDIR || errno == ENXIO ? .isNotRegular : .system(errno)
        }
        var information = stat()
        guard fstat(descriptor, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .isNotRegular
        }
        return descriptor
    }

    /// Says what opening a file would object to, without opening it; the answer is for words, as it may be another a moment later.
    ///
    /// For files that are open in this process already: closing one drops the process's locks on it (fcntl(2)).
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isToWrite: Whether it would be written to.
    /// - Returns: The problem, `system(ENOENT)` where there is no file; `nil` when it would be opened.
    package static func problem(_ path: String, isToWrite: Bool) -> Problem? {
        do throws(Problem) {
            let (folder, name) = parts(path)
            try OpenFolder(folder).look(name, isToWrite: isToWrite)
            return nil
        } catch {
            return explained(error, path)
        }
    }

    /// Says more of a path that this user may not use: whether root left something behind there, in a folder of this user's.
    ///
    /// Only for words, so that it may look at paths.
    static func explained(_ problem: Problem, _ path: String) -> Problem {
        guard problem == .system(EACCES) || problem == .system(EPERM), geteuid() != 0 else { return problem }
        var (left, path) = (problem, path)
        while path.utf8.contains(UInt8(ascii: "/")), path != "/" {
            let above = parts(path).folder
            var (inner, outer) = (stat(), stat())
            if lstat(path, &inner) == 0, inner.st_uid == 0, lstat(above, &outer) == 0, outer.st_uid == geteuid() {
                left = .isForeign(path: path, owner: 0, of: outer.st_uid, outer.st_gid)
            }
            path = above
        }
        return left
    }

    /// The folder of a path, and the name in it.
    package static func parts(_ path: String) -> (folder: String, name: String) {
        let bytes = path.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let folder = String(path[..<slash])
        return (folder.isEmpty ? "/" : folder, String(path[bytes.index(after: slash)...]))
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

    /// Takes a file away, if it is there.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: ``Problem``.
    package static func remove(_ path: String) throws(Problem) {
        let (folder, name) = parts(path)
        do throws(Problem) { try OpenFolder(folder).remove(name) } catch .system(ENOENT) {}
    }

    /// What is at a path when a whole file is put there.
    package enum Earlier: Sendable {
        /// It is replaced, whatever it is.
        case replaced
        /// It is replaced, and its owner and rights go on to the new file.
        case passedOn
        /// It stays, and nothing is written.
        case kept
    }

    /// Puts a whole file at a path, so that no reader sees half of it.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - text: What is to be in it.
    ///   - mode: The file's rights, whatever the umask.
    ///   - earlier: What becomes of a file that is there.
    ///   - isDurable: Whether its bytes are on the disk before it takes the old one's place: a power cut leaves the one or the
    ///     other, whole.
    /// - Throws: ``Problem``; nothing has changed then.
    package static func write(
        _ path: String,
        _ text: String,
        mode: UInt32,
        earlier: Earlier = .replaced,
        isDurable: Bool = false
    ) throws(Problem) {
        let (place, name) = parts(path)
        let folder = try OpenFolder(place)
        var old: stat?
        if earlier == .passedOn {
            do throws(Problem) {
                let (file, _) = try folder.file(name, O_RDONLY, mode: 0)
                defer { close(file) }
                var facts = stat()
                if fstat(file, &facts) == 0 { old = facts }
            } catch .system(ENOENT) {}
        }
        // Another user who may write to the folder cannot guess the name, and cannot put a link there in time.
        let draft = "\(name).\(getpid()).\(UInt64.random(in: 0...(.max)))"
        let file = try folder.file(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600).descriptor
        defer {
            close(file)
            // It has another name by now, or none.
            unlinkat(folder.descriptor, draft, 0)
        }
        if let old, geteuid() == 0 { fchown(file, old.st_uid, old.st_gid) }
        fchmod(file, old.map { $0.st_mode & 0o777 } ?? mode_t(truncatingIfNeeded: mode))
        var text = text
        let written = text.withUTF8 { CLibrary.write(file, $0.baseAddress, $0.count) }
        guard written == text.utf8.count else { throw .system(written < 0 ? errno : ENOSPC) }
        guard !isDurable || fsync(file) == 0 else { throw .system(errno) }
        if earlier == .kept {
            let isThere = linkat(folder.descriptor, draft, folder.descriptor, name, 0) == 0 || errno == EEXIST
            guard isThere else { throw .system(errno) }
        } else {
            guard renameat(folder.descriptor, draft, folder.descriptor, name) == 0 else { throw .system(errno) }
        }
    }
}
