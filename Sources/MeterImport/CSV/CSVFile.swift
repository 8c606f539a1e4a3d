import SystemPackage

/// Reads the records of a CSV file one by one, in constant memory.
final class CSVFile {
    /// The file's size in bytes when it was opened.
    let size: Int

    private let descriptor: FileDescriptor
    private let path: String
    private var parser: CSVParser
    private var block: [UInt8]

    private static let blockSize = 128 * 1024

    /// Opens a file and finds out its delimiter.
    ///
    /// - Throws: ``ImportError`` when it cannot be read or is no text.
    init(path: String) throws {
        var parser = CSVParser()
        var block = [UInt8](repeating: 0, count: Self.blockSize)
        var opened: FileDescriptor?
        do {
            let descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
            opened = descriptor
            size = Int(try descriptor.seek(offset: 0, from: .end))
            try descriptor.seek(offset: 0, from: .start)
            let head = try Self.read(descriptor, &block)
            guard !head.contains(0) else { throw ImportError.notCSV(path) }
            parser.delimiter = Delimiter.sniff(head)
            parser.feed(head)
            self.descriptor = descriptor
        } catch {
            try? opened?.close()
            throw (error as? Errno).map { ImportError.unreadable(path, $0) } ?? error
        }
        self.path = path
        self.parser = parser
        self.block = block
    }

    deinit {
        try? descriptor.close()
    }

    /// The place behind the last record, in bytes.
    var offset: Int { parser.offset }

    /// Fills the record with the file's next one.
    ///
    /// - Returns: Whether there was one.
    /// - Throws: ``ImportError`` when the file cannot be read on, or a quote is not closed.
    func next(into record: inout CSVRecord) throws -> Bool {
        while true {
            switch parser.next(into: &record) {
            case .record:
                return true
            case .end:
                return false
            case .tooLong(let line):
                throw ImportError(
                    .notCSV,
                    "\(path): the record that begins in line \(line) is longer than 1 MiB. "
                        + "Most likely a quote in that line is not closed."
                )
            case .needsMore:
                do {
                    parser.feed(try Self.read(descriptor, &block))
                } catch let error as Errno {
                    throw ImportError.unreadable(path, error)
                }
            }
        }
    }

    private static func read(_ descriptor: FileDescriptor, _ block: inout [UInt8]) throws -> ArraySlice<UInt8> {
        let count = try block.withUnsafeMutableBytes { try descriptor.read(into: $0) }
        return block[..<count]
    }
}
