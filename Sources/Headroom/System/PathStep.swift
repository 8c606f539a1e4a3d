import CLibrary

/// Who owns a file or a folder, and what others may do with it.
struct FileRights: Hashable {
    var owner: UInt32
    var group: UInt32
    var mode: UInt32

    init(owner: UInt32, group: UInt32, mode: UInt32) {
        (self.owner, self.group, self.mode) = (owner, group, mode)
    }

    init(_ facts: stat) {
        self.init(owner: facts.st_uid, group: facts.st_gid, mode: UInt32(facts.st_mode))
    }

    /// Who else than its owner and root may write to it, in words; `nil` when no one else may.
    ///
    /// A group that has its owner's number is that user's own, as `useradd` makes it, with a umask of 002. The sticky bit
    /// does not help: in such a folder others make what they like, also a second name or a link to a file of its reader's
    /// or root's, and move such a file there from a folder of their own.
    var otherWriters: String? {
        if mode & UInt32(S_IWOTH) != 0 { return "every user" }
        return mode & UInt32(S_IWGRP) != 0 && group != owner && group != 0 ? "the group \(group)" : nil
    }

    /// Says why somebody else than a user or root may have written there; `nil` when nobody else can have.
    func stranger(_ what: String, to user: UInt32) -> String? {
        if owner != user, owner != 0 { return "\(what) belongs to user \(owner)" }
        return otherWriters.map { "\($0) may write to \(what)" }
    }
}

/// A place on the way that a path leads, and the folder that it is in.
struct PathStep: Hashable {
    var path: String
    var entry: FileRights
    var folder: FileRights
    /// Whether it is what the path names, or a link in the place of that.
    var isLast: Bool

    /// Whether the folder's owner alone, or root, can have put it there, or else a trusted user owns it.
    func isPlaced(byFolderOr isTrusted: (UInt32) -> Bool) -> Bool {
        folder.otherWriters == nil || isTrusted(entry.owner)
    }

    /// The way of a path through its folders and links, as it is at this moment.
    ///
    /// - Parameter path: The path; of a relative one, the way to the working folder counts too.
    /// - Returns: The steps in their order; `nil` when one cannot be looked at.
    static func all(to path: String) -> [PathStep]? {
        func parts(_ text: String) -> [String] {
            text.utf8.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }.reversed()
        }
        guard path.begins(with: "/") else {
            guard let working = getcwd(nil, 0) else { return nil }
            defer { free(working) }
            let whole = "\(String(cString: working))/\(path)"
            // Linux says "(unreachable)" of a folder outside of the root folder.
            return whole.begins(with: "/") ? all(to: whole) : nil
        }
        var (folder, rest, links) = ("", parts(path), 0)
        // What the step before has said of the folder.
        var known: FileRights?
        var steps: [PathStep] = []
        while let name = rest.popLast() {
            let place = "\(folder)/\(name)"
            guard name != ".", name != ".." else {
                (folder, known) = (place, nil)
                continue
            }
            var entry = stat()
            guard lstat(place, &entry) == 0, let above = known ?? rights(ofFolder: folder) else { return nil }
            let isLink = entry.st_mode & S_IFMT == S_IFLNK
            var rights = FileRights(entry)
            // A link is not written to.
            if isLink { rights.mode &= ~0o777 }
            steps.append(
                PathStep(path: place, entry: rights, folder: above, isLast: rest.isEmpty)
            )
            guard isLink else {
                (folder, known) = (place, rights)
                continue
            }
            links += 1
            known = nil
            guard links <= 40, let target = target(place) else { return nil }
            rest += parts(target)
            if target.begins(with: "/") { folder = "" }
        }
        return steps
    }

    private static func rights(ofFolder folder: String) -> FileRights? {
        var facts = stat()
        return stat("\(folder)/", &facts) == 0 ? FileRights(facts) : nil
    }

    private static func target(_ link: String) -> String? {
        var bytes = [CChar](repeating: 0, count: 4096)
        let count = readlink(link, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self) : nil
    }
}
