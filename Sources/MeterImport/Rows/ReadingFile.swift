import HeadroomJobs

/// Reads a file chunk by chunk, in constant memory, on a thread of its own.
actor ReadingFile {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let executor = FileExecutor()
    private let path: String
    private let type: ImportType
    private let options: ImportOptions
    private let folders: ImportFolders?
    private var opened: OpenFile?
    private var reader: RowReader?

    /// Names a file, and where it must lie (`nil`: anywhere); nothing is read before ``open(from:of:)``.
    init(path: String, in folders: ImportFolders?, type: ImportType, options: ImportOptions) {
        self.path = path
        self.folders = folders
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
        /// How its readings are meant; `nil` for sites.
        var understanding: FileUnderstanding?
    }

    /// Opens the file, and finds out how it is meant where that is not known yet.
    ///
    /// - Parameters:
    ///   - position: Where to go on; the file's beginning by default.
    ///   - identity: The file that the position is of.
    ///   - understanding: How it was understood when its import began.
    ///   - isStopping: Whether to give up meanwhile, with ``FileStudy/Stopped``.
    /// - Returns: What is known of it.
    /// - Throws: ``ImportError`` when the file or its columns cannot be used, or it is another file.
    func open(
        from position: FilePosition? = nil,
        of identity: FileIdentity? = nil,
        understood understanding: FileUnderstanding? = nil,
        isStopping: @Sendable () -> Bool = { false }
    ) throws -> Facts {
        // Once: what was judged is what is read, also from its beginning again.
        let file = try opened ?? CSVFile.open(path, in: folders)
        opened = file
        let reader: RowReader
        do {
            reader = try RowReader(
                path: path,
                opened: file,
                type: type,
                options: options,
                from: position,
                of: identity,
                understood: understanding,
                isStopping: isStopping
            )
        } catch let error as ImportError where !file.isShown && ![.changed, .doubtful, .contradicted].contains(error.code) {
            throw ImportError(.unreadable, RefusedFile(noTable: path).description)
        }
        self.reader = reader
        return Facts(
            size: reader.size,
            identity: reader.identity,
            rejects: reader.rejects,
            understanding: reader.study.understanding
        )
    }

    /// Finds out whether the file has a header that can be used; no more of it is read.
    func look() throws -> RejectsCSV {
        let file = try opened ?? CSVFile.open(path, in: folders)
        opened = file
        do {
            try options.validate()
            let (study, _) = try FileStudy.head(file, path: path, type: type, options: options)
            return RejectsCSV(header: study.headerText, delimiter: study.header.delimiter, columns: study.columns.count)
        } catch let error as ImportError where !file.isShown && error.code != .changed {
            throw ImportError(.unreadable, RefusedFile(noTable: path).description)
        }
    }

    /// Reads the next chunk; `nil` at the end of the file, and before it is opened.
    func next() throws -> Chunk? { try reader?.next() }
}
