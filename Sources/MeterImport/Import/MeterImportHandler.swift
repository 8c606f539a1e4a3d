public import Headroom
public import HeadroomJobs

/// Imports half-hourly files: reads a chunk, stores it, counts it, and goes on with the next.
public struct MeterImportHandler: JobHandler {
    /// Half-hourly files.
    public let types: Set<String> = ["hh"]

    private let database: Database

    /// Creates a handler that imports into a database.
    public init(_ database: Database) {
        self.database = database
    }

    /// Finds out whether a file and its options can be used at all; the rows are looked at when it is imported.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - options: What the job says about it.
    /// - Throws: ``ImportError``.
    public static func check(path: String, options: ImportOptions) async throws {
        _ = try await ReadingFile(path: path, type: .hh, options: options).open()
    }

    /// Imports a job's file.
    ///
    /// Each chunk's readings, rejected rows and counts are committed together. When the job's user cancels it, the import
    /// stops with the chunk in hand, which is not stored.
    ///
    /// - Parameters:
    ///   - job: The job.
    ///   - progress: Is told how far it is, after each chunk.
    /// - Returns: What became of it.
    /// - Throws: ``ImportError``, ``DatabaseError``, or `CancellationError` when cancelled.
    public func run(_ job: ImportJob, progress: (JobProgress) -> Void) async throws -> JobOutcome {
        // Opened before the connection: a file that cannot be used costs none.
        let options = try ImportOptions(metadata: job.metadata)
        let file = ReadingFile(path: job.path, type: .hh, options: options)
        let size = try await file.open().size
        var run = ImportRun(job: job, file: file, size: size, options: options)
        if job.isDryRun {
            return try await run.try(database, progress: progress)
        }
        return try await database.withConnection { connection in
            try await run.store(connection, progress: progress)
        }
    }
}

/// Says that the job's user has called it off.
private struct CalledOff: Error {}

/// One pass over a job's file.
private struct ImportRun {
    private let job: ImportJob
    private let file: ReadingFile
    private let size: Int
    private let store: ReadingStore
    private var meters: MeterDirectory
    private var summary = ImportSummary()

    init(job: ImportJob, file: ReadingFile, size: Int, options: ImportOptions) {
        self.job = job
        self.file = file
        self.size = size
        store = ReadingStore(batchID: job.batchID, jobID: job.id)
        meters = MeterDirectory(batchID: job.batchID, defaultSite: options.defaultSite)
        summary.dryRun = job.isDryRun
    }

    /// The rows so far.
    private var counts: ImportJob.Counts {
        ImportJob.Counts(
            processed: summary.rowsRead,
            imported: summary.rowsRead - summary.rowsRejected,
            failed: summary.rowsRejected
        )
    }

    /// Imports the file.
    mutating func store(_ connection: Connection, progress: (JobProgress) -> Void) async throws -> JobOutcome {
        try await store.forgetRejections(connection)
        while let chunk = try await file.next() {
            try Task.checkCancellation()
            try await meters.resolve(Set(chunk.meters), connection)
            note(chunk)
            let (store, counts) = (store, counts)
            let ids = chunk.meters.map { meters[$0] ?? 0 }
            let stored: Int
            do {
                stored = try await connection.withTransaction {
                    guard try await store.write(counts, total: nil, connection) else { throw CalledOff() }
                    try await store.store(chunk.rejected, connection)
                    return try await store.store(chunk.readings, meters: ids, connection)
                }
            } catch is CalledOff {
                return .cancelled
            }
            summary.readingsStored += stored
            summary.duplicates += chunk.readings.count - stored
            progress(JobProgress(bytesDone: chunk.position.offset, bytesTotal: size, counts: self.counts))
        }
        summary.metersCreated = meters.created.count
        guard try await store.write(counts, total: summary.rowsRead, connection) else { return .cancelled }
        return outcome()
    }

    /// Reads the file and stores nothing but the counts.
    mutating func `try`(_ database: Database, progress: (JobProgress) -> Void) async throws -> JobOutcome {
        while let chunk = try await file.next() {
            try Task.checkCancellation()
            note(chunk)
            progress(JobProgress(bytesDone: chunk.position.offset, bytesTotal: size, counts: counts))
        }
        let (store, counts, total) = (store, counts, summary.rowsRead)
        let isOurs = try await database.withConnection { try await store.write(counts, total: total, $0) }
        return isOurs ? outcome() : .cancelled
    }

    private mutating func note(_ chunk: Chunk) {
        summary.rowsRead += chunk.rows
        summary.rowsRejected += chunk.rejected.count
        summary.warnings = chunk.position.warnings
        for row in chunk.rejected.prefix(max(0, 10 - summary.firstRejections.count)) {
            summary.firstRejections.append("line \(row.line): \(row.reason)")
        }
    }

    private mutating func outcome() -> JobOutcome {
        if summary.rowsRead == 0 { summary.warnings.append("The file has a header and no rows.") }
        guard summary.rowsRead > 0, summary.rowsRejected == summary.rowsRead else {
            return .completed(summary: summary.json)
        }
        return .failed(
            reason: "All \(summary.rowsRead) rows were rejected. The first: \(summary.firstRejections.first ?? "")",
            summary: summary.json
        )
    }
}
