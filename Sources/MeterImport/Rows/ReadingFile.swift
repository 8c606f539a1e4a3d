/// Reads a file chunk by chunk, in constant memory, on a thread of its own.
actor ReadingFile {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let executor = FileExecutor()
    private let path: String
    private let type: ImportType
    private let options: ImportOptions
    private var reader: RowReader?

    /// Names a file; nothing is read before ``open(from:of:)``.
    init(path: String, type: ImportType, options: ImportOptions) {
        self.path = path
        self.type = type
        self.options = options
    }

    /// What is known of a file when it has been opened.
    struct Facts: Sendable {
        /// The file's size in bytes.
        var size: Int
        /// The file as it can be known again.
        var identity: FileIdentity
        /// Writes the file's rejected rows.
        var rejects: RejectsCSV
    }

    /// Opens the file and reads its header.
    ///
    /// - Parameters:
    ///   - position: Where to go on; the file's beginning by default.
    ///   - identity: The file that the position is of.
    /// - Returns: What is known of it.
    /// - Throws: ``ImportError`` when the file or its columns cannot be used, or it is another file.
    func open(from position: FilePosition? = nil, of identity: FileIdentity? = nil) throws -> Facts {
        let reader = try RowReader(path: path, type: type, options: options, from: position, of: identity)
        self.reader = reader
        return Facts(size: reader.size, identity: reader.identity, rejects: reader.rejects)
    }

    /// Reads the next chunk; `nil` at the end of the file, and before it is opened.
    func next() throws -> Chunk? { try reader?.next() }
}
