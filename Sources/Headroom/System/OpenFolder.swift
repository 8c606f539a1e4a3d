package import CLibrary

/// A folder that is open, so that what is in it is looked at, opened and made in this very folder.
///
/// A path that was checked may lead elsewhere a moment later: a user who may write to one of its folders renames it and puts a
/// link there. So every check is on a descriptor, and what follows a check goes through the same descriptor.
///
/// Root is led by the hand, as other users could use its rights: from the root folder on, each folder of the path is opened in
/// the one before. Links count only where only root could have put them. Below a folder that others may write to,
/// everything must be theirs (the folder's owner's, or its group's where the group may write): something of root's there was
/// moved, linked or left behind. What root makes there is given to the folder's owner at once.
package struct OpenFolder: ~Copyable {
    package let descriptor: Int32
    /// The folder's path, for messages.
    package let path: String
    /// The folder's owner, group and rights, as they were when it was opened.
    package let facts: stat
    /// Whether only root can put another folder anywhere on the way to this one; known only to root.
    private var isReachedByRootAlone = false

    /// Opens a folder that is there.
    ///
    /// - Parameter path: The folder's path; a relative one begins at the working folder.
    /// - Throws: ``RegularFile/Problem``.
    package init(_ path: String) throws(RegularFile.Problem) {
        if geteuid() == 0 {
            self = try Self.walk(path)
        } else {
            try self.init(Self.descriptor(path), path)
        }
    }

    /// Opens a folder, and makes it first when it is not there, in the one above, which is.
    ///
    /// - Parameters:
    ///   - path: The folder's path.
    ///   - mode: The rights of a folder that is made, outside a group's.
    /// - Returns: The folder.
    /// - Throws: ``RegularFile/Problem``.
    package static func making(_ path: String, mode: UInt32) throws(RegularFile.Problem) -> OpenFolder {
        do throws(RegularFile.Problem) {
            return try OpenFolder(path)
        } catch .system(ENOENT) {
            let bytes = path.utf8
            let end = bytes.lastIndex { $0 != UInt8(ascii: "/") }.map { bytes.index(after: $0) } ?? bytes.endIndex
            let (above, name) = RegularFile.parts(String(path[..<end]))
            try OpenFolder(above).makeFolder(name, mode: mode)
            return try OpenFolder(path)
        }
    }

    private init(_ descriptor: Int32, _ path: String) throws(RegularFile.Problem) {
        guard descriptor >= 0 else {
            // Linux says so of a link, where a folder is asked for.
            throw errno == ENOTDIR || errno == ELOOP ? .isNoFolder(path) : .system(errno)
        }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0 else {
            let number = errno
            close(descriptor)
            throw .system(number)
        }
        self.descriptor = descriptor
        self.path = path
        self.facts = facts
    }

    deinit { close(descriptor) }

    private static func descriptor(_ path: String) -> Int32 {
        open(path, Int32(kernel_go_through) | O_DIRECTORY | O_CLOEXEC)
    }

    /// Opens a folder in this one; a link is none.
    ///
    /// - Throws: ``RegularFile/Problem``.
    func folder(_ name: String) throws(RegularFile.Problem) -> OpenFolder {
        let flags = Int32(kernel_go_through) | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
        let inner = try OpenFolder(openat(descriptor, name, flags), "\(path)/\(name)")
        guard geteuid() != 0 || isTrusted(folder: inner.facts) else { throw foreign(inner.facts, name) }
        return inner
    }

    /// Opens a file in this folder, and makes it when the flags say so and there is none.
    ///
    /// - Parameters:
    ///   - name: The file's name.
    ///   - flags: As for ``RegularFile/open(_:_:mode:links:)``.
    ///   - mode: The rights of a file that is made, before the umask.
    /// - Returns: The descriptor, which the caller closes, and whether the file was made.
    /// - Throws: ``RegularFile/Problem``.
    package func file(
        _ name: String,
        _ flags: Int32,
        mode: UInt32
    ) throws(RegularFile.Problem) -> (descriptor: Int32, isNew: Bool) {
        // A slash at the end, or none but slashes: that is a folder.
        guard !name.isEmpty, name != ".", name != ".." else { throw .isNotRegular }
        let flags = flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW
        var opened: Int32 = -1
        // First without making it: in a sticky folder the kernel refuses to "create" another user's file, even for root.
        if flags & O_EXCL == 0 { opened = openat(descriptor, name, flags & ~O_CREAT) }
        if opened < 0, flags & O_CREAT != 0, flags & O_EXCL != 0 || errno == ENOENT {
            opened = openat(descriptor, name, flags | O_EXCL, mode_t(truncatingIfNeeded: mode))
            if opened >= 0 { return (try given(opened, name), true) }
            // Another process has made it meanwhile.
            if errno == EEXIST, flags & O_EXCL == 0 { opened = openat(descriptor, name, flags & ~O_CREAT) }
        }
        guard opened >= 0 else { throw Self.problem(errno) }
        do throws(RegularFile.Problem) {
            var file = stat()
            guard fstat(opened, &file) == 0 else { throw .system(errno) }
            try check(file, name, isToWrite: flags & O_ACCMODE != O_RDONLY)
        } catch {
            close(opened)
            throw error
        }
        return (opened, false)
    }

    /// Says what opening a file of this folder would object to, without opening it.
    ///
    /// - Throws: ``RegularFile/Problem``.
    func look(_ name: String, isToWrite: Bool) throws(RegularFile.Problem) {
        var file = stat()
        guard fstatat(descriptor, name, &file, AT_SYMLINK_NOFOLLOW) == 0 else { throw .system(errno) }
        try check(file, name, isToWrite: isToWrite)
        guard faccessat(descriptor, name, isToWrite ? R_OK | W_OK : R_OK, 0) == 0 else { throw .system(errno) }
    }

    /// Makes a folder in this one, unless there is something of that name.
    ///
    /// It is for the group when this folder is a group's, else for this user alone, unless the mode says more.
    ///
    /// - Throws: ``RegularFile/Problem``.
    func makeFolder(_ name: String, mode: UInt32 = 0o700) throws(RegularFile.Problem) {
        // No other user gets in before it has its owner.
        guard mkdirat(descriptor, name, isRootAmongOthers ? 0 : 0o770) == 0 else {
            guard errno == EEXIST else { throw .system(errno) }
            return
        }
        let made = openat(descriptor, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard made >= 0 else { throw .system(errno) }
        defer { close(made) }
        if isRootAmongOthers {
            var facts = stat()
            // Another folder of root's may have been moved here since; none has no rights at all but the one just made.
            guard fstat(made, &facts) == 0, facts.st_uid == 0, facts.st_mode & 0o777 == 0 else {
                throw .isForeign(path: "\(path)/\(name)", owner: facts.st_uid, of: self.facts.st_uid, self.facts.st_gid)
            }
            guard fchown(made, self.facts.st_uid, self.facts.st_gid) == 0 else { throw .system(errno) }
        }
        // A group's folder gives its group to what is in it. The umask has most likely taken the group's rights.
        fchmod(made, facts.st_mode & 0o2020 == 0o2020 ? 0o2770 : mode_t(truncatingIfNeeded: mode))
    }

    // MARK: What is in it

    /// The names of what is in this folder, `.` and `..` too.
    ///
    /// - Throws: ``RegularFile/Problem``.
    package func names() throws(RegularFile.Problem) -> [String] {
        let list = openat(descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard list >= 0 else { throw .system(errno) }
        guard let stream = fdopendir(list) else {
            let number = errno
            close(list)
            throw .system(number)
        }
        return Self.names(of: stream)
    }

    /// The names of what is in a folder that need not be anybody's in particular, such as one of /proc, without `.` and `..`;
    /// `nil`, with `errno` set, when it cannot be read.
    package static func names(in path: String) -> [String]? {
        opendir(path).map { names(of: $0).filter { ![".", ".."].contains($0) } }
    }

    private static func names(of stream: OpaquePointer) -> [String] {
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            names.append(
                withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
            )
        }
        return names
    }

    /// The facts of what has this name here, of a link itself; `nil` when there is nothing.
    package func entry(_ name: String) -> stat? {
        var facts = stat()
        return fstatat(descriptor, name, &facts, AT_SYMLINK_NOFOLLOW) == 0 ? facts : nil
    }

    /// Gives what is in this folder another name here; what had that name is gone.
    ///
    /// - Throws: ``RegularFile/Problem``.
    package func rename(_ name: String, to other: String) throws(RegularFile.Problem) {
        guard renameat(descriptor, name, descriptor, other) == 0 else { throw .system(errno) }
    }

    /// Takes a name out of this folder, not a folder's.
    ///
    /// - Throws: ``RegularFile/Problem``.
    package func remove(_ name: String) throws(RegularFile.Problem) {
        guard unlinkat(descriptor, name, 0) == 0 else { throw .system(errno) }
    }

    // MARK: Files

    /// Whether this is root in a folder of another user.
    private var isRootAmongOthers: Bool { geteuid() == 0 && !Self.isRoot(facts.st_uid) }

    /// Gives a file that was just made to the folder's owner, if root made it.
    private func given(_ made: Int32, _ name: String) throws(RegularFile.Problem) -> Int32 {
        guard isRootAmongOthers, fchown(made, facts.st_uid, facts.st_gid) != 0 else { return made }
        let number = errno
        close(made)
        // Its owner could not use it.
        unlinkat(descriptor, name, 0)
        throw .system(number)
    }

    private func check(_ file: stat, _ name: String, isToWrite: Bool) throws(RegularFile.Problem) {
        guard file.st_mode & S_IFMT != S_IFLNK else { throw .isLink }
        guard file.st_mode & S_IFMT == S_IFREG else { throw .isNotRegular }
        // Where fs.protected_hardlinks is off, anybody gives another user's file a second name: such a file is never given
        // away by what an error advises.
        guard isTrusted(file: file) else { throw file.st_nlink > 1 ? .hasOtherNames : foreign(file, name) }
        guard !isToWrite || file.st_nlink <= 1 else { throw .hasOtherNames }
    }

    private static func problem(_ number: Int32) -> RegularFile.Problem {
        switch number {
        case ELOOP: return .isLink
        // A folder that is to be written to, a FIFO without a reader, a socket.
        case EISDIR, ENXIO: return .isNotRegular
        default: return .system(number)
        }
    }

    // MARK: Whom to trust

    /// Whether only this user and root can put anything into this folder.
    ///
    /// For root also: nor put another folder in its place.
    package var isPrivate: Bool {
        geteuid() == 0
            ? isReachedByRootAlone && isRootsAlone : facts.st_uid == geteuid() && facts.st_mode & 0o022 == 0
    }

    /// Whether only root can replace a folder in this folder.
    private var keepsFolders: Bool { isRootsAlone || Self.isRoot(facts.st_uid) && facts.st_mode & S_ISVTX != 0 }

    /// Root, and the owner of the root folder: in a user namespace that is `nobody`, who owns all of the system there.
    static func isRoot(_ user: uid_t) -> Bool {
        if user == 0 { return true }
        var top = stat()
        return stat("/", &top) == 0 && top.st_uid == user
    }

    /// Whether only root may put anything into this folder.
    private var isRootsAlone: Bool {
        Self.isRoot(facts.st_uid) && facts.st_mode & 0o002 == 0 && (facts.st_mode & 0o020 == 0 || facts.st_gid == 0)
    }

    /// Whether something in this folder belongs to the folder's owner, or to its group where that may write.
    private func isOwn(_ entry: stat) -> Bool {
        entry.st_uid == facts.st_uid || facts.st_mode & 0o020 != 0 && entry.st_gid == facts.st_gid
            || Self.isRoot(entry.st_uid) && Self.isRoot(facts.st_uid)
    }

    private func isTrusted(file: stat) -> Bool {
        if isRootsAlone || isOwn(file) { return true }
        return geteuid() != 0 && (file.st_uid == geteuid() || Self.isRoot(file.st_uid))
    }

    private func isTrusted(folder: stat) -> Bool {
        // Root's own, such as /tmp, and a group's: what others made there is theirs from here on.
        Self.isRoot(facts.st_uid) || isOwn(folder)
    }

    private func foreign(_ entry: stat, _ name: String) -> RegularFile.Problem {
        .isForeign(path: "\(path)/\(name)", owner: entry.st_uid, of: facts.st_uid, facts.st_gid)
    }

    // MARK: The way of root

    private static func walk(_ path: String) throws(RegularFile.Problem) -> OpenFolder {
        func parts(_ text: String) -> [String] {
            // By bytes: a combining mark behind a slash is another Character.
            text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.reversed()
        }
        func first(_ text: String) -> String { text.utf8.first == UInt8(ascii: "/") ? "/" : "." }
        var folder = try OpenFolder(descriptor(first(path)), first(path) == "/" ? "" : ".")
        var rest = parts(path)
        var links = 0
        var isReachedByRootAlone = true
        while let name = rest.popLast() {
            if name == "." { continue }
            var entry = stat()
            guard fstatat(folder.descriptor, name, &entry, AT_SYMLINK_NOFOLLOW) == 0 else { throw .system(errno) }
            let isLink = entry.st_mode & S_IFMT == S_IFLNK
            isReachedByRootAlone = isReachedByRootAlone && folder.keepsFolders
            guard isLink || name == ".." else {
                folder = try folder.folder(name)
                continue
            }
            // Up is wherever the folder's owner has moved it to.
            guard folder.isRootsAlone, links < 40 else { throw .leadsElsewhere("\(folder.path)/\(name)") }
            if isLink {
                links += 1
                let target = try folder.target(name)
                rest += parts(target)
                if first(target) == "/" { folder = try OpenFolder(descriptor("/"), "") }
            } else {
                let up = openat(folder.descriptor, "..", Int32(kernel_go_through) | O_DIRECTORY | O_CLOEXEC)
                folder = try OpenFolder(up, "\(folder.path)/..")
            }
        }
        folder.isReachedByRootAlone = isReachedByRootAlone
        return folder
    }

    private func target(_ name: String) throws(RegularFile.Problem) -> String {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlinkat(descriptor, name, &bytes, bytes.count)
        guard count > 0 else { throw .system(errno) }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
