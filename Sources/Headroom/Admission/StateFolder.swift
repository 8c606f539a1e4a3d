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

    /// The folder in which this user keeps what no other user may have a hand in; `nil` when there is none.
    ///
    /// It is this one, if it is the user's alone, else the usual one of the user's home: in a shared folder others take files
    /// away, and into another user's folder root puts nothing that it believes later.
    var ofThisUser: StateFolder? {
        let home = getpwuid(geteuid()).flatMap { $0.pointee.pw_dir }.map { String(cString: $0) }
        let usual = [
            Self.environment("XDG_STATE_HOME").map { "\($0)/headroom" },
            (Self.environment("HOME") ?? home).map { "\($0)/.local/state/headroom" },
            // Root's own, where sudo has kept HOME.
            home.map { "\($0)/.local/state/headroom" },
        ]
        let places = [lasting] + usual.compactMap(\.self).map { StateFolder($0) }
        // Another user than root believes only files of its own, so that a shared folder is better than no memory.
        return places.first { $0.isPrivate } ?? (geteuid() == 0 ? nil : lasting)
    }

    /// Whether only this user and root can put anything into this folder, or could once it is made.
    private var isPrivate: Bool {
        var path = path
        while true {
            do throws(RegularFile.Problem) {
                return try OpenFolder(path).isPrivate
            } catch .system(ENOENT) where path != "/" && path != "." {
                path = RegularFile.parts(path).folder
            } catch {
                return false
            }
        }
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
        do {
            try Self.makeFolders(whole)
            var folder = try OpenFolder(path)
            if let refusal = refusal(folder) { throw refusal }
            for part in name.pieces(separator: "/") {
                folder = try folder.folder(String(part))
                if let refusal = refusal(folder) { throw refusal }
            }
        } catch let problem as RegularFile.Problem {
            throw Self.unusable(whole, problem, "to be used")
        }
        return whole
    }

    /// Why a folder is not used: a user without a right to it could put files and links into it.
    private func refusal(_ folder: borrowing OpenFolder) -> DatabaseError? {
        let isOpen = folder.facts.st_mode & S_IWOTH != 0
        // Any user can make the folder in /var/tmp first, as its name can be guessed.
        let isForeign = path == Self.privateFallback && folder.facts.st_uid != geteuid()
        guard isOpen || isForeign else { return nil }
        return DatabaseError(
            .stateFolderUnusable,
            message: "\(folder.path) "
                + (isOpen
                    ? "may be written to by every user of this machine"
                    : "belongs to another user (\(folder.facts.st_uid))")
                + ", so what is in it could be anybody's. It is where the processes of this host share the account's budget.",
            advice: isOpen
                ? "chmod o-w \(Escaping.shell(folder.path)); or name another folder with HEADROOM_STATE_DIR."
                : "See who made it and remove it, or name another folder with HEADROOM_STATE_DIR."
        )
    }

    private static var privateFallback: String { "/var/tmp/headroom-\(geteuid())" }

    /// Opens a file that several users of the folder's group may use; makes it when there is none.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    static func openShared(_ path: String) throws -> Int32 {
        do throws(RegularFile.Problem) {
            let (folder, name) = RegularFile.parts(path)
            let (descriptor, isNew) = try OpenFolder(folder).file(name, O_RDWR | O_CREAT, mode: 0o660)
            // The umask has most likely taken the group's right to write.
            if isNew { fchmod(descriptor, 0o660) }
            return descriptor
        } catch {
            throw unusable(path, error, "to be opened")
        }
    }

    /// Opens such a file to lock it.
    ///
    /// A lock that cannot be had would be taken for one that another process has: for ever, and without a word. And where the file
    /// is new, and a process still has the one that was removed from there, it is that one that counts.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`, also where the file system has no locks.
    static func openLockable(_ path: String) throws -> Int32 {
        let descriptor = try openShared(path)
        let obstacle = kernel_lock_obstacle(descriptor)
        guard obstacle != 0 else {
            var facts = stat()
            // The file that is there stays empty, so that the next one looks too.
            guard fstat(descriptor, &facts) == 0, facts.st_size == 0, let held = Machine.openRemoved(before: descriptor)
            else { return descriptor }
            close(descriptor)
            return held
        }
        close(descriptor)
        throw DatabaseError(
            .stateFolderUnusable,
            message: "\(path) cannot be locked: \(RegularFile.Problem.system(obstacle)). "
                + "The processes of this host share the account's budget by locks on files there.",
            advice:
                "A network file system may have no locks. Name a folder on a disk of this host with HEADROOM_STATE_DIR, "
                + "such as /var/tmp/headroom-\(geteuid()); every user of the account must name the same one."
        )
    }

    private static func makeFolders(_ path: String) throws(RegularFile.Problem) {
        if access(path, F_OK) == 0 { return }
        let (above, name) = RegularFile.parts(path)
        if above != "/", above != "." { try makeFolders(above) }
        try OpenFolder(above).makeFolder(name)
    }

    static func unusable(_ path: String, _ problem: RegularFile.Problem, _ what: String) -> DatabaseError {
        let problem = RegularFile.explained(problem, path)
        let isForbidden = problem == .system(EACCES) || problem == .system(EPERM)
        return DatabaseError(
            .stateFolderUnusable,
            message: "\(path) failed \(what): \(problem). "
                + "It is where the processes of this host share the account's budget.",
            advice: problem.advice
                ?? (isForbidden
                    ? "Let this user into the folder's group, or name another folder with HEADROOM_STATE_DIR; every user of "
                        + "the account must name the same one."
                    : "Check the disk and the rights, or name another folder with HEADROOM_STATE_DIR.")
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
