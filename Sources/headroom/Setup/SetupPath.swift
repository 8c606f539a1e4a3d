import CKernel
import CommandSupport
import Glibc
import Headroom

/// A file of an application, which is changed only where that keeps all of it as it was but for the bytes.
enum SetupPath {
    /// Why a file is left alone.
    struct Obstacle: Error {
        var reason: String
    }

    /// The working folder.
    static var current: String? {
        guard let folder = getcwd(nil, 0) else { return nil }
        defer { free(folder) }
        return String(cString: folder)
    }

    /// Reads the file, if it may be changed.
    ///
    /// - Parameters:
    ///   - path: Its path.
    ///   - folder: The application's folder, out of which no link may lead.
    /// - Returns: Its bytes.
    /// - Throws: ``Obstacle``.
    static func read(_ path: String, below folder: String) throws(Obstacle) -> [UInt8] {
        let (real, root) = (NamedFile(path).path, NamedFile(folder).path)
        guard real.begins(with: root == "/" ? "/" : "\(root)/") else {
            throw Obstacle(reason: "it is a link that leads out of the folder, to \(real)")
        }
        var facts = stat()
        guard lstat(real, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else {
            throw Obstacle(reason: "it is no regular file")
        }
        guard access(real, W_OK) == 0 else { throw Obstacle(reason: "this user may not write to it") }
        // What is written there would be another place's too.
        if isMountPoint(real) { throw Obstacle(reason: "another file is mounted in its place") }
        do throws(RegularFile.Problem) {
            return try RegularFile.read(real, atMost: 1 << 20, links: .followed)
        } catch {
            throw Obstacle(reason: error.description)
        }
    }

    private static func isMountPoint(_ path: String) -> Bool {
        let text = (try? RegularFile.read("/proc/self/mountinfo", atMost: 1 << 22)) ?? []
        // The fifth word is where it is mounted, blanks in it as \040 (proc(5)).
        return String(decoding: text, as: UTF8.self).pieces(separator: "\n")
            .contains { line in
                let words = line.pieces(separator: " ")
                return words.count > 4 && words[4].whole.replaced("\\040", with: " ") == path
            }
    }

    /// Writes other bytes into the file: in its place where that keeps its owner and rights, else into the same file.
    ///
    /// - Parameters:
    ///   - bytes: What is to be in it.
    ///   - path: Its path.
    ///   - old: What must be in it.
    /// - Throws: ``Obstacle``.
    static func write(_ bytes: [UInt8], to path: String, after old: [UInt8]) throws(Obstacle) {
        let real = NamedFile(path).path
        guard (try? RegularFile.read(real, atMost: 1 << 20, links: .followed)) == old else { throw .changed }
        do throws(RegularFile.Problem) {
            let (place, name) = RegularFile.parts(real)
            let file = try RegularFile.open(real, O_RDWR, links: .followed)
            defer { close(file) }
            var facts = stat()
            guard fstat(file, &facts) == 0 else { throw .system(errno) }
            // A page that begins now sees the one file or the other, whole.
            if facts.st_nlink == 1, facts.st_uid == geteuid(), kernel_has_access_list(real) == 0 {
                let folder = try OpenFolder(place)
                let draft = "\(name).headroom.\(getpid())"
                let new = try folder.file(draft, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600).descriptor
                defer {
                    close(new)
                    unlinkat(folder.descriptor, draft, 0)
                }
                if fchown(new, .max, facts.st_gid) == 0, fchmod(new, facts.st_mode & 0o7777) == 0 {
                    try write(bytes, to: new)
                    guard renameat(folder.descriptor, draft, folder.descriptor, name) == 0 else { throw .system(errno) }
                    return
                }
            }
            try write(bytes, to: file)
            guard ftruncate(file, off_t(bytes.count)) == 0 else { throw .system(errno) }
        } catch {
            throw Obstacle(reason: error.description)
        }
    }

    private static func write(_ bytes: [UInt8], to file: Int32) throws(RegularFile.Problem) {
        let count = bytes.withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, 0) }
        guard count == bytes.count, fsync(file) == 0 else { throw .system(count < 0 ? errno : ENOSPC) }
    }
}
