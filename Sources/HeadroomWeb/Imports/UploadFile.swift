import Glibc
import HTTPTypes
import Headroom
import MeterImport

/// A file that is being uploaded: written as it comes in, under a name of our own, and gone again unless it is kept.
actor UploadFile {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// How a file's name ends once it is complete.
    static let ending = ".csv"

    /// How a file's name ends until it is complete.
    static let partEnding = ".part"

    /// Writing blocks, so it happens on a thread of its own.
    private let executor = FileExecutor()

    /// The path, for jobs, of the file once it is complete.
    nonisolated let path: String

    /// The path of the file while it comes in.
    nonisolated let part: String

    private let name: String
    private let whole: String
    private let partial: String
    /// Where it is written: a path may lead elsewhere a moment later.
    private let place: OpenFolder
    private let folder: UploadFolder
    private let most: Int
    private var descriptor: Int32 = -1
    private var size = 0
    private var countedAt = 0
    /// After so many bytes it is counted again what other dashboards have put into the folder.
    private static let countEvery = 1 << 20
    private var isComplete = false
    private var isKept = false

    /// Names the file; it is made by ``begin()``.
    ///
    /// - Parameters:
    ///   - name: A name that no other has.
    ///   - place: The folder, which is open.
    ///   - path: The folder's absolute path, without links.
    ///   - folder: Knows how much room there is, and has set some aside for this file.
    ///   - most: The most bytes that it may have.
    init(_ name: String, in place: consuming OpenFolder, at path: String, of folder: UploadFolder, most: Int) {
        self.place = place
        (self.name, self.folder, self.most) = (name, folder, most)
        (whole, partial) = (name + Self.ending, name + Self.partEnding)
        self.path = "\(path)/\(whole)"
        part = "\(path)/\(partial)"
    }

    deinit {
        if descriptor >= 0 {
            if !isKept { try? place.remove(isComplete ? whole : partial) }
            close(descriptor)
        }
        folder.end(name, kept: isKept ? size : 0)
    }

    /// Makes the file.
    ///
    /// - Throws: ``WebError`` when it cannot be made.
    func begin() throws {
        // The worker may be another user of the same group.
        do throws(RegularFile.Problem) {
            descriptor = try place.file(partial, O_WRONLY | O_CREAT | O_EXCL, mode: 0o640).descriptor
        } catch {
            throw Self.failure(error)
        }
        // Held until the file is closed: so it is seen that somebody writes to it, and the kernel drops it after a crash.
        _ = flock(descriptor, LOCK_EX | LOCK_NB)
    }

    /// Adds bytes.
    ///
    /// - Throws: ``WebError`` when the file becomes too large, or the disk is full.
    func write(_ bytes: [UInt8]) throws {
        size += bytes.count
        guard size <= most else { throw Self.tooLarge(most) }
        try folder.grow(name, to: size)
        if size - countedAt >= Self.countEvery {
            countedAt = size
            try folder.check(place)
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure(.system(errno)) }
            rest = rest.dropFirst(count)
        }
    }

    /// Gives the file the name under which a job knows it; it still goes unless it is kept.
    ///
    /// - Throws: ``WebError`` when there is no room for it any more, or it cannot be written. It is counted with all of it there:
    ///   of the dashboards that do so at once, the last one sees the others' files.
    func complete() throws {
        try folder.check(place)
        guard fsync(descriptor) == 0 else { throw Self.failure(.system(errno)) }
        do throws(RegularFile.Problem) {
            try place.rename(partial, to: whole)
        } catch {
            throw Self.failure(error)
        }
        isComplete = true
    }

    /// Keeps the file: a job has it, or may have.
    func keep() { isKept = true }

    static func tooLarge(_ most: Int) -> WebError {
        WebError(
            .contentTooLarge,
            "The file is larger than \(most >> 20) MB.",
            advice: "Split it, or queue it where it is with headroom jobs add.",
            code: "file_too_large"
        )
    }

    static func failure(_ problem: RegularFile.Problem) -> WebError {
        WebError(
            HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
            "The file cannot be stored: \(problem).",
            advice: problem.advice ?? "See the disk and the rights of the upload folder.",
            code: "storage_failed"
        )
    }
}
