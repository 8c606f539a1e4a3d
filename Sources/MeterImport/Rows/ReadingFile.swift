/// Reads a half-hourly file chunk by chunk, in constant memory.
final class ReadingFile {
    /// The rows of a stretch of the file, by what became of them.
    struct Chunk {
        /// The readings, in the order of the file.
        var readings: [Reading] = []
        /// The rows that cannot be imported.
        var rejected: [RejectedRow] = []
        /// The number of rows read.
        var rows = 0
    }

    /// A chunk ends with the row that brings it to this many readings or rows.
    static let chunkSize = 1000

    /// The file's size in bytes.
    let size: Int

    private let file: CSVFile
    private var parser: ReadingParser
    private var record = CSVRecord()

    /// Opens a file and reads its header.
    ///
    /// - Throws: ``ImportError`` when the file or its columns cannot be used.
    init(path: String, options: ImportOptions) throws {
        file = try CSVFile(path: path)
        size = file.size
        guard try file.next(into: &record) else {
            throw ImportError(.notCSV, "The file \(path) is empty: it has not even a header.")
        }
        guard record.isUTF8 else {
            throw ImportError(
                .notCSV,
                "The first line of \(path) is not UTF-8 text. Export the file as CSV in UTF-8."
            )
        }
        parser = try ReadingParser(header: record, options: options)
    }

    /// The bytes read so far.
    var offset: Int { file.offset }

    /// Meters whose MPAN has a wrong check digit.
    var doubtfulMeters: Set<String> { parser.doubtfulMeters }

    /// Reads the next chunk; `nil` at the end of the file.
    func next() throws -> Chunk? {
        var chunk = Chunk()
        while chunk.readings.count < Self.chunkSize, chunk.rows < Self.chunkSize, try file.next(into: &record) {
            chunk.rows += 1
            if let rejected = parser.read(record, into: &chunk.readings) { chunk.rejected.append(rejected) }
        }
        return chunk.rows == 0 ? nil : chunk
    }
}
