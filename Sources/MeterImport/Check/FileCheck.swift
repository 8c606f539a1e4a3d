public import HeadroomJobs

/// Looks at a whole file as an import would, without a database.
public enum FileCheck {
    /// How far a check is.
    public struct Progress: Sendable, Hashable {
        /// The bytes read so far.
        public var bytesDone: Int
        /// The file's size in bytes.
        public var bytesTotal: Int
        /// The rows read so far.
        public var rows: Int
    }

    /// Reads a file to its end, on a thread of its own and in constant memory.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - folders: Where it must lie; `nil`, the default, when a person has named it.
    ///   - type: What kind of file it is.
    ///   - options: What a job would say about it.
    ///   - problems: The most problems to report one by one; 20 by default.
    ///   - progress: Is told how far it is, some thousand rows apart.
    /// - Returns: What was found.
    /// - Throws: ``ImportError`` when the file as a whole cannot be used, or `CancellationError`.
    public static func run(
        path: String,
        in folders: ImportFolders? = nil,
        type: ImportType,
        options: ImportOptions = ImportOptions(),
        problems: Int = 20,
        progress: @Sendable @escaping (Progress) -> Void = { _ in }
    ) async throws -> FileReport {
        try await FileChecker().run(path, folders, type, options, problems, progress)
    }

    /// Finds out whether a file and what is said about it can be used at all; no row is read.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - folders: Where it must lie; `nil`, the default, when a person has named it.
    ///   - type: What kind of file it is.
    ///   - options: What a job would say about it.
    /// - Returns: What writes the file's rejected rows.
    /// - Throws: ``ImportError``.
    @discardableResult
    public static func open(
        path: String,
        in folders: ImportFolders? = nil,
        type: ImportType,
        options: ImportOptions = ImportOptions()
    ) async throws -> RejectsCSV {
        try await ReadingFile(path: path, in: folders, type: type, options: options).look()
    }
}

/// Does the reading, which blocks, on its own thread.
private actor FileChecker {
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private let executor = FileExecutor()

    func run(
        _ path: String,
        _ folders: ImportFolders?,
        _ type: ImportType,
        _ options: ImportOptions,
        _ problems: Int,
        _ progress: (FileCheck.Progress) -> Void
    ) throws -> FileReport {
        let file = try CSVFile.open(path, in: folders)
        let reader = try RowReader(path: path, opened: file, type: type, options: options)
        var tally = FileTally(path: path, type: type, reader: reader, problems: problems)
        while let chunk = try reader.next() {
            try Task.checkCancellation()
            tally.add(chunk)
            let done = chunk.position
            progress(FileCheck.Progress(bytesDone: done.offset, bytesTotal: reader.size, rows: done.rows))
        }
        return tally.report(reader.position)
    }
}

/// Adds up what the chunks of a file hold.
struct FileTally {
    private var result = FileReport()
    private var meters: Set<UInt64> = []
    private var first = CalendarDate(days: .max)
    private var last = CalendarDate(days: .min)
    private let problems: Int

    private static let mostMeters = 100_000
    private static let mostFirstMeters = 10

    init(path: String, type: ImportType, reader: RowReader, problems: Int) {
        self.problems = problems
        result.path = path
        result.type = type.rawValue
        result.bytes = reader.size
        result.layout =
            switch reader.shape {
            case .columns: "matrix"
            case .datetime, .dateAndTime, .dateAndPeriod: "interval"
            case .daily: "daily"
            case nil: "sites"
            }
        result.understood = reader.study.understanding?.lines ?? []
        result.warnings = reader.study.understanding?.warnings ?? []
    }

    /// Adds a chunk.
    mutating func add(_ chunk: Chunk) {
        result.rows += chunk.rows
        result.rowsRejected += chunk.rejected.count
        result.rowsLeftOut += chunk.leftOut
        result.values += chunk.readings.count + chunk.sites.count
        var estimates = 0
        for reading in chunk.readings {
            if reading.date < first { first = reading.date }
            if reading.date > last { last = reading.date }
            if reading.type == .estimated { estimates += 1 }
        }
        result.estimates += estimates
        for meter in chunk.meters where meters.count < Self.mostMeters {
            guard meters.insert(StableHash(meter.utf8).value).inserted else { continue }
            if result.firstMeters.count < Self.mostFirstMeters { result.firstMeters.append(meter) }
        }
        for row in chunk.rejected.prefix(max(0, problems - result.problems.count)) {
            result.problems.append(.init(line: row.line, column: row.column, reason: row.reason))
        }
    }

    /// What has been found when the file has been read to a position.
    func report(_ end: FilePosition) -> FileReport {
        var result = result
        result.meters = meters.count
        if first <= last {
            result.firstDate = first.text
            result.lastDate = last.text
        }
        result.warnings += end.warnings
        if end.rows == 0 { result.warnings.append("The file has a header and no rows.") }
        return result
    }
}
