/// Reads a half-hourly file chunk by chunk, in constant memory, on a thread of its own.
actor ReadingFile {
    /// The rows of a stretch of the file, by what became of them.
    struct Chunk {
        /// The readings, in the order of the file.
        var readings: [Reading] = []
        /// The rows that cannot be imported.
        var rejected: [RejectedRow] = []
        /// The number of rows read.
        var rows = 0
        /// The place in the file behind the chunk, in bytes.
        var end = 0
    }

    /// A chunk ends with the row that brings it to this many readings or rows.
    static let chunkSize = 1000

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let executor = FileExecutor()
    private let path: String
    private let options: ImportOptions
    private var file: CSVFile?
    private var parser: ReadingParser?
    private var record = CSVRecord()

    /// Names a file; nothing is read before ``open()``.
    init(path: String, options: ImportOptions) {
        self.path = path
        self.options = options
    }

    /// Opens the file and reads its header.
    ///
    /// - Returns: The file's size in bytes.
    /// - Throws: ``ImportError`` when the file or its columns cannot be used.
    func open() throws -> Int {
        let file = try CSVFile(path: path)
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
        self.file = file
        return file.size
    }

    /// Meters whose MPAN has a wrong check digit, as far as the file has been read.
    var doubtfulMeters: Set<String> { parser?.doubtfulMeters ?? [] }

    /// Reads the next chunk; `nil` at the end of the file, and before it is opened.
    func next() throws -> Chunk? {
        guard let file else { return nil }
        var chunk = Chunk()
        while chunk.readings.count < Self.chunkSize, chunk.rows < Self.chunkSize, try file.next(into: &record) {
            chunk.rows += 1
            if let rejected = parser?.read(record, into: &chunk.readings) { chunk.rejected.append(rejected) }
        }
        chunk.end = file.offset
        return chunk.rows == 0 ? nil : chunk
    }
}
