import Glibc
import HTTPTypes
import Headroom
import MeterImport

/// A file that is being uploaded: written as it comes in, under a name of our own, and gone again unless it is kept.
actor UploadFile {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Writing blocks, so it happens on a thread of its own.
    private let executor = FileExecutor()

    /// Where it is.
    nonisolated let path: String

    private let descriptor: Int32
    private let most: Int
    private var size = 0
    private var isKept = false

    /// Makes the file.
    ///
    /// - Parameters:
    ///   - folder: The folder, which is made when it is not there.
    ///   - most: The most bytes that it may have.
    /// - Throws: ``WebError`` when it cannot be made.
    init(folder: String, most: Int) throws {
        self.most = most
        path = "\(folder)/\(Secret.text(bytes: 16)).csv"
        mkdir(folder, 0o770)
        // The worker may be another user of the same group.
        descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o640)
        guard descriptor >= 0 else { throw Self.failure(errno) }
    }

    deinit {
        close(descriptor)
        if !isKept { unlink(path) }
    }

    /// Adds bytes.
    ///
    /// - Throws: ``WebError`` when the file becomes too large, or the disk is full.
    func write(_ bytes: [UInt8]) throws {
        size += bytes.count
        guard size <= most else {
            throw WebError(
                .contentTooLarge,
                "The file is larger than \(most >> 20) MB.",
                advice: "Split it, or queue it where it is with headroom jobs add.",
                code: "file_too_large"
            )
        }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Self.failure(errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Keeps the file.
    func keep() throws {
        guard fsync(descriptor) == 0 else { throw Self.failure(errno) }
        isKept = true
    }

    private static func failure(_ number: Int32) -> WebError {
        WebError(
            HTTPResponse.Status(code: 507, reasonPhrase: "Insufficient Storage"),
            "The file cannot be stored: \(String(cString: strerror(number))).",
            advice: "See the disk and the rights of the upload folder.",
            code: "storage_failed"
        )
    }
}
