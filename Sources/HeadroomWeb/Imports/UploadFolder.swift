import Glibc
import HTTPTypes
import Headroom
import HeadroomJobs
import MeterImport
import Synchronization

/// The folder of the uploads: how much may be in it, and what goes when no job needs it any more.
actor UploadFolder {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Looking through a folder blocks, so it happens on a thread of its own.
    private let executor = FileExecutor()

    private let path: String
    private let most: Int
    private let queue: JobQueue
    private nonisolated let room: Mutex<UploadRoom>

    /// Creates the folder's care.
    ///
    /// - Parameters:
    ///   - path: The folder, which is made with the first upload.
    ///   - options: How much is taken.
    ///   - queue: The queue, whose jobs need files.
    init(_ path: String, _ options: WebOptions, _ queue: JobQueue) {
        (self.path, most, self.queue) = (path, options.mostUpload, queue)
        room = Mutex(UploadRoom(most: options.mostUploadTotal, mostAtOnce: options.mostUploadsAtOnce))
        // What a crash has left half-sent; a file that is still written is locked.
        guard let folder = try? OpenFolder(path) else { return }
        for entry in Self.entries(folder) where Self.isUpload(entry.name, ending: UploadFile.partEnding) {
            guard let file = Self.lock(entry.name, folder) else { continue }
            try? folder.remove(entry.name)
            close(file)
        }
    }

    /// Makes room for a file that is about to come.
    ///
    /// Files that no job names any more go first; where that is not enough, those of completed jobs.
    ///
    /// - Parameter declared: Its size, as far as the request tells.
    /// - Returns: The file, which is made when its first bytes come.
    /// - Throws: ``WebError`` when there is no room for it, or too many come at once.
    func newFile(declared: Int?) async throws -> UploadFile {
        let name = Secret.text(bytes: 16)
        guard declared ?? 0 <= most + UploadRoom.mostAround else { throw UploadFile.tooLarge(most) }
        guard room.withLock({ $0.begin(name, declared: declared ?? 0) }) else {
            throw WebError(
                .serviceUnavailable,
                "Other files are being uploaded.",
                advice: "Try again when they are through.",
                code: "uploads_busy"
            )
        }
        do {
            let folder = try OpenFolder.making(path, mode: 0o750)
            try await makeRoom(in: folder)
            // Only for words: who opens it judges by the folder where it leads.
            guard let whole = realpath(path, nil) else { throw UploadFile.failure(.system(errno)) }
            defer { free(whole) }
            return UploadFile(name, in: folder, at: String(cString: whole), of: self, most: most)
        } catch {
            end(name, kept: 0)
            throw (error as? RegularFile.Problem).map { UploadFile.failure($0) } ?? error
        }
    }

    private func makeRoom(in folder: borrowing OpenFolder) async throws {
        let names = count(folder)
        guard !names.isEmpty else { return try check(folder) }
        try await clear(names, where: { $0 == nil }, folder)
        count(folder)
        guard room.withLock({ $0.isOver }) else { return }
        try await clear(names, where: { $0 != .needed }, folder)
        try check(folder)
    }

    /// Removes files by what jobs need of them.
    ///
    /// They are asked for after the files' locks were had: another dashboard holds its file's until the job is queued.
    private func clear(
        _ names: [String],
        where isUnneeded: (JobQueue.FileUse?) -> Bool,
        _ folder: borrowing OpenFolder
    ) async throws {
        for start in stride(from: 0, to: names.count, by: 50) {
            var held: [String: Int32] = [:]
            defer { for file in held.values { close(file) } }
            for name in names[start..<min(start + 50, names.count)] { held[name] = Self.lock(name, folder) }
            guard !held.isEmpty else { continue }
            let usage = try await queue.usage(ofFilesNamed: held.keys.sorted())
            for name in held.keys where isUnneeded(usage[name]) { try? folder.remove(name) }
        }
    }

    /// Counts again what is in the folder, which other dashboards use too.
    ///
    /// - Throws: ``WebError`` when it is more than may be.
    nonisolated func check(_ folder: borrowing OpenFolder) throws {
        count(folder)
        if room.withLock({ $0.isOver }) { throw Self.full }
    }

    /// Counts what is in the folder; returns the names of uploads that are complete.
    @discardableResult
    private nonisolated func count(_ folder: borrowing OpenFolder) -> [String] {
        let underWay = room.withLock { Set($0.underWay.keys) }
        let entries = Self.entries(folder).filter { !underWay.contains(String($0.name.leading { $0 != "." })) }
        room.withLock { $0.stored = entries.reduce(0) { $0.addingReportingOverflow($1.size).partialValue } }
        return entries.map(\.name).filter { Self.isUpload($0, ending: UploadFile.ending) }
    }

    /// Takes note that a file has become so large.
    ///
    /// - Throws: ``WebError`` when there is no room for it.
    nonisolated func grow(_ name: String, to size: Int) throws {
        guard room.withLock({ $0.grow(name, to: size) }) else { throw Self.full }
    }

    /// Takes note that a file is complete, or gone.
    nonisolated func end(_ name: String, kept size: Int) { room.withLock { $0.end(name, kept: size) } }

    private static var full: WebError {
        WebError(
            HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
            "The uploads that are kept leave no room for this file.",
            advice:
                "Delete jobs that are done with, give the dashboard more room with --upload-total, or queue the file "
                + "where it is with headroom jobs add.",
            code: "uploads_full"
        )
    }

    /// Whether a name is one that uploads get: what else lies in the folder is not ours.
    private static func isUpload(_ name: String, ending: String) -> Bool {
        let bytes = Array(name.utf8)
        return bytes.count == 32 + ending.utf8.count && name.ends(with: ending)
            && bytes.prefix(32).allSatisfy { (48...57).contains($0) || (97...102).contains($0) }
    }

    /// The regular files in the folder, with their sizes.
    private static func entries(_ folder: borrowing OpenFolder) -> [(name: String, size: Int)] {
        var entries: [(name: String, size: Int)] = []
        for name in (try? folder.names()) ?? [] {
            guard let file = folder.entry(name), file.st_mode & S_IFMT == S_IFREG else { continue }
            entries.append((name, Int(file.st_size)))
        }
        return entries
    }

    /// Opens a file that nobody writes to, and keeps everybody from it until it is closed; `nil` while somebody does.
    private static func lock(_ name: String, _ folder: borrowing OpenFolder) -> Int32? {
        guard let file = try? folder.file(name, O_RDONLY, mode: 0).descriptor else { return nil }
        guard flock(file, LOCK_EX | LOCK_NB) == 0 else {
            close(file)
            return nil
        }
        return file
    }
}

/// Decides whether there is room for an upload.
struct UploadRoom: Sendable {
    /// What a form has around its file at the most: its fields, and the lines between.
    static let mostAround = 64 * 1024

    /// The most bytes of all uploads together.
    let most: Int

    /// The most uploads under way.
    let mostAtOnce: Int

    /// The bytes of the uploads that are complete.
    var stored = 0

    /// The uploads under way, each with the bytes that it has or has declared.
    private(set) var underWay: [String: Int] = [:]

    init(most: Int, mostAtOnce: Int) {
        (self.most, self.mostAtOnce) = (most, mostAtOnce)
    }

    /// Begins an upload; returns whether it may come beside those under way.
    mutating func begin(_ name: String, declared: Int) -> Bool {
        guard underWay.count < mostAtOnce else { return false }
        underWay[name] = max(0, declared)
        return true
    }

    /// Takes note of an upload's size; returns whether there is room for it.
    mutating func grow(_ name: String, to size: Int) -> Bool {
        underWay[name] = max(underWay[name] ?? 0, size)
        return !isOver
    }

    /// Ends an upload of which so many bytes stay.
    mutating func end(_ name: String, kept size: Int) {
        if underWay.removeValue(forKey: name) != nil { stored = stored.addingReportingOverflow(size).partialValue }
    }

    /// Whether all together are more than may be.
    var isOver: Bool {
        var left = most
        for size in [stored] + underWay.values {
            guard size >= 0, size <= left else { return true }
            left -= size
        }
        return false
    }
}
