import CLibrary
import Headroom
import Synchronization

/// The place of a unix socket that is about to be made: its folder, which is open, and its name there.
///
/// What the path leads to may change at any time, so no right is changed by it: the socket is made with the rights that it
/// shall have.
final class SocketFile: Sendable {
    /// The descriptor of the folder.
    private let folder: Int32
    private let earlierMask: Mutex<mode_t?>

    /// The path by which it is made.
    let address: String

    /// Takes a socket of an earlier run away, and has the system give the next one to the owner and the group alone.
    ///
    /// - Parameter path: The socket's path.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when its folder is not to be trusted, or something of others is there.
    init(_ path: String) throws {
        do throws(RegularFile.Problem) {
            let (place, name) = RegularFile.parts(path)
            let open = try OpenFolder(place)
            if let old = open.entry(name) {
                guard old.st_mode & S_IFMT == S_IFSOCK else { throw .isNotRegular }
                let owners = [geteuid(), open.facts.st_uid]
                guard owners.contains(old.st_uid) || open.facts.st_uid == geteuid() else {
                    throw .isForeign(path: path, owner: old.st_uid, of: open.facts.st_uid, open.facts.st_gid)
                }
                try open.remove(name)
            }
            folder = fcntl(open.descriptor, F_DUPFD_CLOEXEC, 0)
            guard folder >= 0 else { throw .system(errno) }
            #if os(Linux)
            // Others than root go by the path, which only who they trust can change: there need be no /proc.
            address = geteuid() == 0 ? "/proc/self/fd/\(folder)/\(name)" : path
            #else
            address = path
            #endif
        } catch {
            let what = error == .isNotRegular ? "there is something else than a socket" : "\(error)"
            throw DatabaseError(
                .settingsInvalid,
                message: "No socket can be made at \(path): \(what).",
                advice: (error == .isNotRegular ? nil : error.advice) ?? "Name another path with --socket-path."
            )
        }
        // A proxy of the same group may connect.
        earlierMask = Mutex(umask(0o117))
    }

    /// Takes note that the socket is there.
    func isMade() {
        earlierMask.withLock { mask in
            if let earlier = mask { umask(earlier) }
            mask = nil
        }
    }

    deinit {
        isMade()
        close(folder)
    }
}
