import CLibrary

/// The folder in which the processes of this host share what they know of accounts.
///
/// `/run/headroom` when it exists: web server and cron often run as two users, and only a folder of both makes one budget of
/// theirs. Else the user's own state folder. (Not `/run/user/UID`: it is another one for each user, and goes at logout.) An
/// administrator makes the shared one with `install -d -m 2770 -g GROUP /run/headroom`.
struct StateFolder: Sendable, Hashable {
    /// The folder's path.
    var path: String

    /// The folder that the settings name, or the usual one.
    init(_ named: String?) {
        if let named {
            path = named
        } else if access(Self.shared, F_OK) == 0 {
            path = Self.shared
        } else if let state = Self.environment("XDG_STATE_HOME") {
            path = "\(state)/headroom"
        } else if let home = Self.home {
            path = "\(home)/.local/state/headroom"
        } else {
            path = Self.privateFallback
        }
    }

    private static let shared = "/run/headroom"

    /// Where what is to outlive a restart of the machine is kept: `/run` is empty then, and the package has made another.
    var lasting: StateFolder {
        let lasting = "/var/lib/headroom"
        return path == Self.shared && access(lasting, W_OK) == 0 ? StateFolder(lasting) : self
    }

    private static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee == UInt8(ascii: "/") else { return nil }
        return String(cString: value)
    }

    /// The user's home; cron and services often set no `HOME`, but the user database knows it.
    private static var home: String? {
        if let home = environment("HOME"), home != "/" { return home }
        guard let entry = getpwuid(geteuid()), let folder = entry.pointee.pw_dir else { return nil }
        let home = String(cString: folder)
        // Users of services have homes such as /nonexistent.
        return access(home, W_OK) == 0 && home != "/" ? home : nil
    }

    /// Makes a folder below this one, with those above it, and returns its path.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func folder(_ name: String) throws -> String {
        let whole = "\(path)/\(name)"
        try Self.makeFolders(whole)
        try Self.check(path, mayBeLink: true)
        var below = path
        for part in name.pieces(separator: "/") {
            below += "/\(part)"
            try Self.check(below, mayBeLink: false)
        }
        return whole
    }

    /// Refuses a folder in which a user whom nobody let in could put files and links of their own.
    private static func check(_ path: String, mayBeLink: Bool) throws {
        var information = stat()
        guard (mayBeLink ? stat(path, &information) : lstat(path, &information)) == 0 else {
            throw unusable(path, errno, "to be looked at")
        }
        // Whoever comes first makes the folder in /var/tmp, and its name can be guessed.
        let isForeign = path == privateFallback && information.st_uid != geteuid()
        let problem: String? =
            if information.st_mode & S_IFMT != S_IFDIR {
                "is not a folder but a link or a file"
            } else if information.st_mode & S_IWOTH != 0 {
                "may be written to by every user of this machine"
            } else if isForeign {
                "belongs to another user (\(information.st_uid))"
            } else {
                nil
            }
        guard let problem else { return }
        throw DatabaseError(
            .stateFolderUnusable,
            message:
                "\(path) \(problem), so what is in it could be anybody's. It is where the processes of this host share "
                + "the account's budget.",
            advice: information.st_mode & S_IWOTH != 0 && information.st_mode & S_IFMT == S_IFDIR
                ? "chmod o-w \(Escaping.shell(path)); or name another folder with HEADROOM_STATE_DIR."
                : "See who made it and remove it, or name another folder with HEADROOM_STATE_DIR."
        )
    }

    private static var privateFallback: String { "/var/tmp/headroom-\(geteuid())" }

    /// Opens a file that several users of the folder's group may use; makes it when there is none.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    static func openShared(_ path: String) throws -> Int32 {
        // First without making it: in a sticky folder the kernel refuses to "create" another user's file, even for root.
        var descriptor = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW)
        if descriptor < 0, errno == ENOENT {
            descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o660)
            // The umask has most likely taken the group's right to write.
            if descriptor >= 0 { fchmod(descriptor, 0o660) }
        }
        guard descriptor >= 0 else { throw unusable(path, errno, "to be opened") }
        return descriptor
    }

    private static func makeFolders(_ path: String) throws {
        if access(path, X_OK) == 0 { return }
        if let slash = path.unicodeScalars.lastIndex(of: "/"), slash > path.startIndex {
            try makeFolders(String(path[..<slash]))
        }
        if mkdir(path, 0o770) == 0 {
            var above = stat()
            let parent = path.unicodeScalars.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
            // A group's folder gives its group to what is in it.
            let isShared = stat(parent, &above) == 0 && above.st_mode & 0o2020 == 0o2020
            chmod(path, isShared ? 0o2770 : 0o700)
        } else if errno != EEXIST {
            throw unusable(path, errno, "to be made")
        }
    }

    static func unusable(_ path: String, _ number: Int32, _ what: String) -> DatabaseError {
        DatabaseError(
            .stateFolderUnusable,
            message: "\(path) failed \(what): \(String(cString: strerror(number))). "
                + "It is where the processes of this host share the account's budget.",
            advice: number == EACCES || number == EPERM
                ? "Let this user into the folder's group, or name another folder with HEADROOM_STATE_DIR; every user of "
                    + "the account must name the same one."
                : "Check the disk and the rights, or name another folder with HEADROOM_STATE_DIR."
        )
    }
}

extension DatabaseSettings {
    /// The path of the folder in which the processes of this host share what they know of accounts.
    ///
    /// - Parameter named: The folder that the settings name, if they do.
    /// - Returns: The path.
    package static func stateFolderPath(_ named: String?) -> String { StateFolder(named).path }
}
