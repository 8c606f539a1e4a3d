import CLibrary
import HeadroomJobs
import SystemPackage

/// Reads the records of a CSV file one by one, in constant memory.
struct CSVFile: ~Copyable {
    /// The file's size in bytes when it was opened.
    let size: Int

    /// The open file; every pass reads from this one descriptor, so that all see the same file.
    let file: OpenFile

    private let path: String
    private let longestRead: Int
    private var scanner: CSVScanner

    /// Begins to read an open file.
    ///
    /// - Parameters:
    ///   - file: The file.
    ///   - path: Where it is, for errors.
    ///   - delimiter: What stands between fields.
    ///   - longestRead: The most bytes to read at once; small in tests.
    /// - Throws: ``ImportError`` when it cannot be read or is no text.
    init(_ file: OpenFile, path: String, delimiter: UInt8, longestRead: Int = .max) throws {
        var facts = stat()
        do {
            let descriptor = FileDescriptor(rawValue: file.number)
            guard fstat(file.number, &facts) == 0 else { throw Errno(rawValue: errno) }
            // An earlier pass may have left it elsewhere.
            try descriptor.seek(offset: 0, from: .start)
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
        size = Int(facts.st_size)
        scanner = CSVScanner(delimiter: delimiter)
        self.file = file
        self.path = path
        self.longestRead = longestRead
    }

    /// Opens a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - folders: Where it must lie; `nil` when a person has named it, who may read it anyway.
    /// - Returns: The file, which is a regular one; of one in UTF-16 its text in UTF-8.
    /// - Throws: ``ImportError`` when it cannot be read, or may not be.
    static func open(_ path: String, in folders: ImportFolders?) throws -> OpenFile {
        let file = try openBytes(path, folders)
        do { return try UTF16File.utf8(file) } catch let error as Errno { throw ImportError.unreadable(path, error) }
    }

    private static func openBytes(_ path: String, _ folders: ImportFolders?) throws -> OpenFile {
        if let folders {
            do throws(RefusedFile) {
                return try folders.open(path)
            } catch {
                throw ImportError(.unreadable, error.description)
            }
        }
        do {
            // A pipe would block for ever; opened so, it is found out to be none of ours.
            let descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
            let file = OpenFile(descriptor.rawValue)
            var facts = stat()
            guard fstat(file.number, &facts) == 0 else { throw Errno(rawValue: errno) }
            switch facts.st_mode & S_IFMT {
            case S_IFREG: return file
            case S_IFDIR: throw Errno.isDirectory
            default: throw ImportError.notAFile(path)
            }
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
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
            try FileDescriptor(rawValue: file.number).seek(offset: Int64(offset), from: .start)
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
                    let (descriptor, longestRead) = (FileDescriptor(rawValue: file.number), longestRead)
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
