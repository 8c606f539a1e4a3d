import Glibc
import Headroom

/// Who may do what with a file or folder.
struct FileRights {
    var path: String

    /// The permission bits of `stat`.
    var mode: UInt32

    /// Whether this user may use it as it is used: read and write, and for a folder enter.
    var isUsable: Bool

    init(path: String, mode: UInt32, isUsable: Bool) {
        self.path = path
        self.mode = mode & 0o7777
        self.isUsable = isUsable
    }

    /// Looks at a path; `nil` when there is nothing.
    init?(_ path: String, isFolder: Bool) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        let wanted = R_OK | W_OK | (isFolder ? X_OK : 0)
        self.init(path: path, mode: information.st_mode, isUsable: access(path, wanted) == 0)
    }

    private var octal: String { String(mode, radix: 8) }

    /// What is wrong with a file that settings come from.
    var problemOfSettings: String? {
        mode & 0o002 != 0 ? "every user may write to \(path) (\(octal)): chmod o-w \(Escaping.shell(path))" : nil
    }

    /// What is wrong with a folder that programs share.
    var problemOfFolder: String? {
        if !isUsable {
            return "this user cannot use \(path) (\(octal)): join its group, or name another HEADROOM_STATE_DIR"
        }
        if mode & 0o002 != 0 { return "every user may write to \(path) (\(octal)): chmod o-w \(Escaping.shell(path))" }
        // Without it what one user makes has a group that the other is not in.
        if mode & 0o2020 == 0o020 {
            return "\(path) is a group's, but does not hand its group on (\(octal)): chmod g+s \(Escaping.shell(path))"
        }
        return nil
    }

    /// What is wrong with a file in such a folder.
    func problem(in folder: FileRights) -> String? {
        if !isUsable { return "this user cannot use \(path) (\(octal))" }
        if mode & 0o002 != 0 { return "every user may write to \(path) (\(octal)): chmod o-w \(Escaping.shell(path))" }
        if folder.mode & 0o2020 == 0o2020, mode & 0o060 != 0o060 {
            return "the group of \(folder.path) cannot use \(path) (\(octal)): chmod g+rw \(Escaping.shell(path))"
        }
        return nil
    }
}
