import CLibrary
import SystemPackage

/// Reads the records of a CSV file one by one, in constant memory.
struct CSVFile: ~Copyable {
    /// The file's size in bytes when it was opened.
    let size: Int

    /// The file's beginning, by which it is known again.
    let identity: FileIdentity

    private let descriptor: FileDescriptor
    private let path: String
    private let longestRead: Int
    private var scanner: CSVScanner

    /// Opens a file and finds out its delimiter.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - longestRead: The most bytes to read at once; small in tests.
    /// - Throws: ``ImportError`` when it cannot be read or is no text.
    init(path: String, longestRead: Int = .max) throws {
        let opened: (descriptor: FileDescriptor, size: Int, head: [UInt8])
        do {
            opened = try Self.open(path)
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
        descriptor = opened.descriptor
        size = opened.size
        identity = FileIdentity(size: opened.size, head: opened.head)
        scanner = CSVScanner(delimiter: Delimiter.sniff(opened.head))
        self.path = path
        self.longestRead = longestRead
    }

    private static func open(_ path: String) throws -> (FileDescriptor, size: Int, head: [UInt8]) {
        // A pipe would block for ever; opened so, it is found out to be none of ours.
        let descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
        do {
            var facts = stat()
            guard fstat(descriptor.rawValue, &facts) == 0 else { throw Errno(rawValue: errno) }
            switch facts.st_mode & S_IFMT {
            case S_IFREG: break
            case S_IFDIR: throw Errno.isDirectory
            default: throw ImportError.notAFile(path)
            }
            let head = try FileIdentity.head(of: descriptor)
            guard !head.contains(0) else {
                let isUTF16 = head.starts(with: [0xFF, 0xFE]) || head.starts(with: [0xFE, 0xFF])
                throw ImportError.notCSV(path, isUTF16: isUTF16)
            }
            return (descriptor, Int(facts.st_size), head)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    deinit {
        try? descriptor.close()
    }

    /// The place behind the last record, in bytes.
    var offset: Int { scanner.offset }

    /// The line after the last record, from 1.
    var line: Int { scanner.line }

    /// What stands between fields.
    var delimiter: UInt8 { scanner.delimiter }

    /// Goes on at the start of a record.
    mutating func jump(to offset: Int, line: Int) throws {
        do {
            try descriptor.seek(offset: Int64(offset), from: .start)
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
        scanner.jump(to: offset, line: line)
    }

    /// Returns the file's next record, which is good until the next call; `nil` at the end.
    ///
    /// - Throws: ``ImportError`` when the file cannot be read on, or has become shorter.
    mutating func next() throws -> CSVRecord? {
        while true {
            switch scanner.next() {
            case .record(let record):
                return record
            case .end:
                guard scanner.offset >= size else { throw ImportError.becameShorter(path) }
                return nil
            case .needsMore:
                do {
                    let (descriptor, longestRead) = (descriptor, longestRead)
                    try scanner.feed { room in
                        try descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: room.prefix(longestRead)))
                    }
                } catch let error as Errno {
                    throw ImportError.unreadable(path, error)
                }
            }
        }
    }
}
