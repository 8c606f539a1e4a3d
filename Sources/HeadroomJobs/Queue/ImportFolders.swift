import CLibrary
package import Headroom

/// Decides which files a job's row may name, and opens and deletes them.
///
/// What can write to the queue's table, such as the web application or an SQL injection in it, is not the user that the
/// worker runs as. So a path in a row is a wish: the file is opened only where it lies in one of these folders, which is
/// judged by the folders that were opened on the way to it and never by the text of the path.
///
/// Where no folders are named, as in a queue that was there before Headroom, a row may also name a table elsewhere: a regular
/// file called `.csv`, `.tsv` or `.txt`. No error tells a byte of it, and one that is no table of readings is refused in the
/// words of one that is not there. Nothing is deleted there.
public struct ImportFolders: Sendable, Hashable {
    /// The folders' absolute paths; they may be links, as the settings that name them are trusted.
    let paths: [String]

    /// Whether the folders were named, so that nothing beyond them is read.
    public let isConfigured: Bool

    /// The folder of the dashboard's uploads, which is one of the folders whether or not others are named.
    private let uploads: String?

    /// Creates the folders.
    ///
    /// - Parameters:
    ///   - paths: The folders' absolute paths; `nil`, the default, when none were named.
    ///   - uploads: The folder of the dashboard's uploads.
    public init(_ paths: [String]? = nil, uploads: String? = nil) {
        self.paths = (paths ?? []) + [uploads].compactMap(\.self)
        self.uploads = uploads
        isConfigured = paths != nil
    }

    /// The folders that the settings name, and that of the dashboard's uploads.
    ///
    /// - Parameters:
    ///   - loaded: The settings.
    ///   - uploads: The folder of the dashboard's uploads; by default the one in the state folder.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when one of the folders is no absolute path.
    package init(_ loaded: LoadedSettings, uploads: String? = nil) throws {
        // Where there is no state folder there are no uploads in it.
        let usual = try? AccountNotes(loaded.database, topic: "uploads").path(ending: "")
        let text = try loaded.found.value(.importFolders)
        let paths = text.map { $0.utf8.split(separator: UInt8(ascii: ":")).map { String($0) ?? "" } }
        if let wrong = paths?.first(where: { !$0.begins(with: "/") }) {
            throw DatabaseError(
                .settingsInvalid,
                message: "HEADROOM_IMPORT_DIRS names '\(shown(wrong))', which is no absolute path.",
                advice: "Name folders from the root, with : between them, such as /srv/app/uploads:/srv/ftp/readings."
            )
        }
        self.init(paths, uploads: uploads ?? usual)
    }

    /// Of these the folder of the uploads alone: their files are Headroom's own.
    package var ofUploads: ImportFolders { ImportFolders([], uploads: uploads) }

    /// The same folders, where nothing beyond them is read: for what shows people the bytes of a file.
    package var alone: ImportFolders { ImportFolders(paths.filter { $0 != uploads }, uploads: uploads) }

    /// Opens a file that a row names.
    ///
    /// - Parameter path: The path in the row.
    /// - Returns: The file, which is a regular one.
    /// - Throws: ``RefusedFile``.
    package func open(_ path: String) throws(RefusedFile) -> OpenFile {
        let place = try place(of: path)
        if !place.isWithin {
            guard !isConfigured, Self.isNamedAsTable(place.name) else { throw outside(path, place.parent) }
        }
        do throws(Flaw) {
            return try place.open()
        } catch {
            guard place.isWithin else {
                throw RefusedFile(noTable: path)
            }
            throw RefusedFile(path, error.reason, error.advice)
        }
    }

    /// What tells a file in one of the folders from every other; `nil` when there is none.
    ///
    /// - Throws: ``RefusedFile`` when the path leads elsewhere.
    func identity(of path: String) throws(RefusedFile) -> FileNumber? {
        let place = try place(of: path)
        guard place.isWithin else { throw outside(path, place.parent) }
        return place.file.map { FileNumber($0) }
    }

    /// Whether a path leads to a file in one of the folders.
    package func has(_ path: String) -> Bool { ((try? identity(of: path)) ?? nil) != nil }

    /// Deletes a file in one of the folders, if it is still the one that it was.
    ///
    /// - Parameters:
    ///   - path: The path in the row.
    ///   - number: What tells the file from others.
    /// - Returns: Whether it was deleted.
    /// - Throws: ``RefusedFile`` when it lies elsewhere, is no regular file, or the system refuses.
    func delete(_ path: String, _ number: FileNumber) throws(RefusedFile) -> Bool {
        let place = try place(of: path)
        guard place.isWithin, let folder = place.folder else { throw outside(path, place.parent) }
        guard let file = place.file, FileNumber(file) == number else { return false }
        guard file.st_mode & S_IFMT == S_IFREG else {
            throw RefusedFile(path, "it is no regular file", "See what it is, and remove it by hand.")
        }
        if unlinkat(folder.number, place.name, 0) == 0 { return true }
        if errno == ENOENT { return false }
        throw RefusedFile(path, String(cString: strerror(errno)), "Check who may write to its folder.")
    }
}

extension ImportFolders {
    /// Where a path leads.
    private struct Place {
        /// The folder that was reached; `nil` when none was.
        var folder: OpenFile?
        /// The file's name in it.
        var name: String
        /// The folder's path as the row has it.
        var parent: String
        /// Whether that is one of the folders, or lies in one.
        var isWithin: Bool

        /// What stands there, itself; `nil` when nothing does.
        var file: stat? {
            var file = stat()
            guard let folder, fstatat(folder.number, name, &file, AT_SYMLINK_NOFOLLOW) == 0 else { return nil }
            return file
        }

        func open() throws(Flaw) -> OpenFile {
            guard let folder else { throw .system(ENOENT) }
            // Without waiting: it may have become a FIFO by now.
            let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC
            let number = openat(folder.number, name, flags)
            guard number >= 0 else {
                let error = errno
                if let file, file.st_mode & S_IFMT != S_IFREG { throw Flaw(file) }
                throw .system(error)
            }
            let opened = OpenFile(number, isShown: isWithin)
            var (file, above) = (stat(), stat())
            guard fstat(number, &file) == 0, fstat(folder.number, &above) == 0 else { throw .system(errno) }
            guard file.st_mode & S_IFMT == S_IFREG else { throw Flaw(file) }
            // A second name may be one that somebody gave to a file of another user, to have it read from here. Its owner
            // gave it when nobody else can write to the folder.
            let isOwn = file.st_uid == above.st_uid && above.st_mode & 0o022 == 0
            guard file.st_nlink == 1 || isOwn else { throw .secondName }
            return opened
        }
    }

    /// What is wrong with what stands at a path within the folders.
    private enum Flaw: Error {
        case system(Int32)
        case link
        case notRegular
        case secondName

        init(_ file: stat) { self = file.st_mode & S_IFMT == S_IFLNK ? .link : .notRegular }

        var reason: String {
            switch self {
            case .system(let number): String(cString: strerror(number))
            case .link: "it is a link"
            case .notRegular: "it is no regular file"
            case .secondName: "it has a second name (a hard link) in a folder that others may write to"
            }
        }

        var advice: String {
            switch self {
            case .system(ENOENT): "Check the path."
            case .system(EACCES): "Check who may read it, and the folders above it."
            case .system: "Check the file."
            case .link: "Name the file that it leads to."
            case .notRegular: "Save it as an ordinary file: it is read more than once."
            case .secondName: "Copy it, and name the copy."
            }
        }
    }

    /// Goes to the folder in which a path's file lies.
    ///
    /// Up to one of the folders links are followed, as people lay out their releases with them. From there on none is: what is
    /// reached so lies in that folder, whatever others change meanwhile.
    private func place(of path: String) throws(RefusedFile) -> Place {
        let names = try Self.names(path)
        let parent = "/" + names.dropLast().joined(separator: "/")
        var place = Place(name: names[names.count - 1], parent: parent, isWithin: false)
        // That of the uploads is of the state folder, or was named for root to delete in.
        let folders = paths.compactMap { $0 == uploads ? OpenFile.own($0) : OpenFile.folder($0) }
        let numbers = Set(folders.compactMap { FileNumber(open: $0.number) })
        var folder = OpenFile.folder("/")
        for name in names.dropLast() {
            guard let reached = folder, let number = FileNumber(open: reached.number) else { break }
            if numbers.contains(number) { place.isWithin = true }
            let links = place.isWithin ? O_NOFOLLOW : 0
            let next = openat(reached.number, name, Int32(kernel_go_through) | O_DIRECTORY | O_CLOEXEC | links)
            if next < 0, place.isWithin {
                let error = errno
                var information = stat()
                let isLink =
                    fstatat(reached.number, name, &information, AT_SYMLINK_NOFOLLOW) == 0
                    && information.st_mode & S_IFMT == S_IFLNK
                let flaw = isLink ? Flaw.link : .system(error)
                throw RefusedFile(
                    path,
                    isLink ? "one of the folders on the way to it is a link" : flaw.reason,
                    isLink
                        ? "Name the folder that the link leads to in HEADROOM_IMPORT_DIRS, and in the path."
                        : flaw.advice
                )
            }
            folder = next < 0 ? nil : OpenFile(next)
        }
        if let folder, let number = FileNumber(open: folder.number), numbers.contains(number) { place.isWithin = true }
        place.folder = folder
        return place
    }

    /// The names that a path is made of, where it is absolute and says plainly where its file lies.
    private static func names(_ path: String) throws(RefusedFile) -> [String] {
        func refused(_ why: String) -> RefusedFile {
            RefusedFile(path, why, "Queue it by its absolute path, without '.', '..' and empty parts.")
        }
        let bytes = path.utf8
        guard bytes.count < 4096 else { throw refused("its path is longer than 4095 bytes") }
        guard bytes.first == UInt8(ascii: "/") else { throw refused("its path is not absolute") }
        guard !bytes.contains(0) else { throw refused("its path holds a NUL byte") }
        let names = bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        for name in names {
            if name.utf8.isEmpty { throw refused("its path has an empty part") }
            if name == "." || name == ".." { throw refused("its path has a part '\(name)'") }
        }
        // What lies there is the processes', and leads everywhere.
        if names[0] == "proc" { throw refused("its path leads through the processes' folder") }
        return names
    }

    /// Whether a name is one that tables of readings have.
    private static func isNamedAsTable(_ name: String) -> Bool {
        let end = name.utf8.suffix(4).map { (65...90).contains($0) ? $0 + 32 : $0 }
        return name.utf8.count > 4 && [".csv", ".tsv", ".txt"].contains { $0.utf8.elementsEqual(end) }
    }

    /// Says that a file is none of those that rows may name, and what makes it one; not whether it is there.
    private func outside(_ path: String, _ folder: String) -> RefusedFile {
        let reason =
            isConfigured
            ? "it lies in none of the folders of HEADROOM_IMPORT_DIRS"
            : "HEADROOM_IMPORT_DIRS is not set, and its name does not end in .csv, .tsv or .txt"
        let named = isConfigured ? paths.filter { $0 != uploads } : []
        guard folder != "/", !folder.utf8.contains(UInt8(ascii: ":")) else {
            return RefusedFile(path, reason, "Move it to a folder that HEADROOM_IMPORT_DIRS can name, without a colon.")
        }
        let system = ["/etc", "/dev", "/sys", "/root", "/boot"]
        guard !system.contains(where: { folder == $0 || folder.begins(with: "\($0)/") }) else {
            return RefusedFile(path, reason, "No upload lies there: see who may write to the queue.")
        }
        let line = shown((named + [folder]).joined(separator: ":"), most: 4000)
        return RefusedFile(
            path,
            reason,
            "If your application keeps its uploads there, set HEADROOM_IMPORT_DIRS=\(line) for the worker, then run "
                + "'headroom jobs retry' with the job's id."
        )
    }
}

/// Says why a file that a row names is not read or deleted.
///
/// It never tells anything of what the file holds; outside the folders not even whether there is one.
package struct RefusedFile: Error, Hashable, CustomStringConvertible {
    /// The path, as it may be shown.
    package let path: String

    /// Why.
    package let reason: String

    /// What to do next.
    package let advice: String

    init(_ path: String, _ reason: String, _ advice: String) {
        (self.path, self.reason, self.advice) = (shown(path), reason, advice)
    }

    /// What is said of every file outside the folders that is not imported, there or not: else it would tell which there are.
    package init(noTable path: String) {
        self.init(
            path,
            "there is no table of its kind by this name that may be read",
            "What is wrong with it 'headroom import --check FILE' says; a job does with HEADROOM_IMPORT_DIRS set."
        )
    }

    /// What happened, why, and what to do next.
    package var description: String { "The file \(path) cannot be read: \(reason). \(advice)" }
}

/// A file that is open; closed when nobody has it any more.
package final class OpenFile: Sendable {
    /// The descriptor.
    package let number: Int32

    /// Whether an error may show what the file holds.
    package let isShown: Bool

    /// Takes a descriptor over.
    package init(_ number: Int32, isShown: Bool = true) {
        (self.number, self.isShown) = (number, isShown)
    }

    /// A folder that was named by somebody who is trusted; `nil` when there is none.
    fileprivate static func folder(_ path: String) -> OpenFile? {
        let number = CLibrary.open(path, Int32(kernel_go_through) | O_DIRECTORY | O_CLOEXEC)
        return number < 0 ? nil : OpenFile(number)
    }

    /// A folder of Headroom's own, to which no other user leads root; `nil` when there is none.
    fileprivate static func own(_ path: String) -> OpenFile? {
        guard let folder = try? OpenFolder(path) else { return nil }
        let number = fcntl(folder.descriptor, F_DUPFD_CLOEXEC, 0)
        return number < 0 ? nil : OpenFile(number)
    }

    deinit { close(number) }
}

/// What tells a file from every other on a host.
struct FileNumber: Hashable {
    private var device: UInt64
    private var inode: UInt64

    init(_ file: stat) {
        (device, inode) = (UInt64(truncatingIfNeeded: file.st_dev), UInt64(truncatingIfNeeded: file.st_ino))
    }

    init?(open number: Int32) {
        var file = stat()
        guard fstat(number, &file) == 0 else { return nil }
        self.init(file)
    }
}

/// Text of others as it may stand in a sentence: 300 scalars of it.
package func shown(_ text: some StringProtocol, most: Int = 300) -> String { Escaping.printable(text, most: most) }
