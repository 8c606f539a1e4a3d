import CSQLite
import Glibc
import Headroom

/// Has SQLite open its files as ``RegularFile`` does: the history, and the journals beside it.
///
/// SQLite follows links to a database, and waits at a FIFO. It has a flag against the first (`SQLITE_OPEN_NOFOLLOW`),
/// which says nothing of the folders above. A check before SQLite opens the file would be too early: it may
/// be another one by then. So SQLite gets another open(2), by the interface that its own tests use (`xSetSystemCall`).
public enum HistoryFile {
    /// Why a history is not opened.
    public struct Refused: Error, CustomStringConvertible {
        /// The reason, and what to do.
        public var description: String
    }

    /// Prepares SQLite, makes the file if it is to be written to and there is none, and says what SQLite would not: why not.
    static func prepare(_ path: String, isToWrite: Bool) throws(Refused) {
        guard isGuarded else { throw Refused(description: "This SQLite does not let its files be guarded.") }
        if isToWrite, let file = try? RegularFile.open(path, O_RDWR | O_CREAT | O_EXCL, mode: 0o660) {
            // The umask has most likely taken the group's right to write.
            fchmod(file, 0o660)
            close(file)
        }
        // Only looked at: closing a file drops the locks that SQLite has on it (fcntl(2)).
        if let problem = RegularFile.problem(path, isToWrite: isToWrite) { throw Refused(description: words(problem)) }
        for beside in ["-wal", "-shm", "-journal"] {
            // They come and go, and SQLite makes what is missing.
            if let problem = RegularFile.problem(path + beside, isToWrite: isToWrite), problem != .system(ENOENT) {
                throw Refused(description: "\(path)\(beside): \(words(problem))")
            }
        }
    }

    private static func words(_ problem: RegularFile.Problem) -> String {
        "\(problem)." + (problem.advice.map { " \($0)" } ?? "")
    }

    /// Whether SQLite opens files by the functions below; done once for the process.
    private static let isGuarded: Bool = {
        guard sqlite3_initialize() == SQLITE_OK, let system = sqlite3_vfs_find(nil) else { return false }
        let (open, look) = (Self.open, Self.look)
        return system.pointee.xSetSystemCall?(system, "open", unsafeBitCast(open, to: sqlite3_syscall_ptr.self))
            == SQLITE_OK
            && system.pointee.xSetSystemCall?(system, "lstat", unsafeBitCast(look, to: sqlite3_syscall_ptr.self))
                == SQLITE_OK
    }()

    /// Opens a file for SQLite, a folder that it brings to the disk, or one of the kernel's two devices that it uses.
    private static let open: @convention(c) (UnsafePointer<CChar>?, Int32, Int32) -> Int32 = { path, flags, mode in
        guard let path else { return -1 }
        let name = String(cString: path)
        if name == "/dev/urandom" || name == "/dev/null" { return Glibc.open(path, O_RDONLY | O_CLOEXEC) }
        do throws(RegularFile.Problem) {
            return try RegularFile.open(name, flags & ~O_TRUNC, mode: UInt32(truncatingIfNeeded: mode))
        } catch {
            let isLook = flags & (O_ACCMODE | O_CREAT) == O_RDONLY
            if case .isNotRegular = error, isLook {
                return Glibc.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
            if case .system(let number) = error { errno = number } else { errno = EACCES }
            return -1
        }
    }

    /// Finds no links: SQLite would follow them by itself, and then open what they lead to.
    private static let look: @convention(c) (UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Int32 = { _, _ in
        errno = ENOENT
        return -1
    }
}
