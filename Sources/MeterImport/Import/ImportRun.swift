import Headroom
import HeadroomJobs

/// One go at a job's file, from where the last commit left it.
///
/// Each chunk's readings, rejected rows, counts and the place in the file are committed together; while the server stores
/// one chunk the next is read.
struct ImportRun {
    private let run: JobRun
    private let type: ImportType
    private let options: ImportOptions
    private let file: ReadingFile
    private let facts: ReadingFile.Facts
    private let rejects: RejectStore
    private var meters: MeterDirectory
    private var position: FilePosition
    private var summary: ImportSummary
    private var repeated = RepeatedTime.byPeriod
    private var sites: SiteStore?

    /// Opens the file at the place where its import carries on.
    ///
    /// - Throws: ``ImportError`` when it cannot be used; ``DatabaseError``.
    init(_ run: JobRun, _ connection: Connection) async throws {
        self.run = run
        let job = run.job
        type = try ImportType(job: job)
        options = try ImportOptions(metadata: job.metadata)
        file = ReadingFile(path: job.path, type: type, options: options)
        rejects = RejectStore(jobID: job.id)
        meters = MeterDirectory(batchID: job.batchID, defaultSite: options.defaultSite)
        let checkpoint = try await run.lease.checkpoint(connection).flatMap(ImportCheckpoint.init(json:))
        if let checkpoint, let facts = try await file.carryOn(from: checkpoint) {
            self.facts = facts
            position = checkpoint.position
            summary = checkpoint.summary
        } else {
            facts = try await file.open()
            position = FilePosition()
            summary = ImportSummary()
            summary.dryRun = job.isDryRun
            if checkpoint != nil {
                summary.warnings.append(
                    "The file has changed since a part of it was imported; it was imported from its beginning."
                )
            }
        }
    }

    /// Imports what is left of the file.
    mutating func finish(_ connection: Connection) async throws -> JobOutcome {
        try await begin(connection)
        let file = file
        var next = try await file.next()
        while let chunk = next {
            if !run.job.isDryRun, type != .sites { try await meters.resolve(Set(chunk.meters), connection) }
            async let following = file.next()
            try await commit(chunk, connection)
            next = try await following
            run.progressed(
                JobProgress(bytesDone: position.offset, bytesTotal: facts.size, counts: counts)
            )
            if run.mustStop, next != nil { return .givenBack }
        }
        if !run.job.isDryRun, type != .sites { summary.metersCreated = try await meters.created(connection) }
        try await connection.withTransaction {
            try await run.lease.advance(checkpoint, counts: counts, total: summary.rowsRead, connection)
        }
        return outcome
    }

    private var checkpoint: String {
        ImportCheckpoint(file: facts.identity, position: position, summary: summary).json
    }

    /// The rows so far.
    private var counts: ImportJob.Counts {
        ImportJob.Counts(
            processed: summary.rowsRead,
            imported: summary.rowsRead - summary.rowsRejected,
            failed: summary.rowsRejected
        )
    }

    /// Makes the connection ready, and writes where this go begins.
    private mutating func begin(_ connection: Connection) async throws {
        if !run.job.isDryRun {
            try await ReadingStore.begin(batch: run.job.batchID, connection)
            if type == .sites {
                sites = SiteStore(defaultCompany: try await DefaultSite.company(connection))
            } else {
                repeated = try await RepeatedTime(connection)
            }
        }
        try await connection.withTransaction {
            if position.offset == 0 { try await rejects.forget(connection) }
            try await run.lease.advance(checkpoint, counts: counts, connection)
        }
    }

    /// Stores a chunk with everything that belongs to it, or nothing of it.
    private mutating func commit(_ chunk: Chunk, _ connection: Connection) async throws {
        var attempts = 0
        while true {
            var (after, behind) = (summary, chunk.position)
            after.note(chunk)
            // How many rows are to come is not known; what is read so far tells about how many.
            let total = chunk.position.offset > 0 ? after.rowsRead * facts.size / chunk.position.offset : nil
            do {
                try await connection.withTransaction {
                    if !run.job.isDryRun {
                        try await rejects.store(chunk.rejected, connection)
                        try await store(chunk, &after, connection)
                    }
                    let checkpoint = ImportCheckpoint(file: facts.identity, position: behind, summary: after)
                    try await run.lease.advance(
                        checkpoint.json,
                        counts: ImportJob.Counts(
                            processed: after.rowsRead,
                            imported: after.rowsRead - after.rowsRejected,
                            failed: after.rowsRejected
                        ),
                        total: total,
                        connection
                    )
                }
                (summary, position) = (after, behind)
                return
            } catch let error as DatabaseError where error.isRetryableTransaction && attempts < 10 {
                // Another import was at the same rows: the server has undone this one, or its wait has been too long.
                attempts += 1
                try await Task.sleep(for: .milliseconds(10 * attempts) * Double.random(in: 0.5...1.5))
            }
        }
    }

    private func store(_ chunk: Chunk, _ summary: inout ImportSummary, _ connection: Connection) async throws {
        let stored: ReadingStore.Stored
        switch type {
        case .hh:
            stored = try await ReadingStore.store(
                chunk.readings,
                meterIDs: chunk.meters.map { meters[$0] ?? 0 },
                repeated: repeated,
                connection
            )
            if repeated == .byTime, chunk.readings.contains(where: \.isSecondRun) { summary.warn(RepeatedTime.warning) }
        case .daily:
            stored = try await DailyStore.store(
                chunk.readings,
                meterIDs: chunk.meters.map { meters[$0] ?? 0 },
                connection
            )
        case .sites:
            guard let sites else { return }
            let result = try await sites.store(chunk.sites, connection)
            if result.strays > 0 {
                summary.warn("Some sites name a company that does not exist; they are with '\(DefaultSite.name)'.")
            }
            stored = result.counts
        }
        summary.readingsStored += stored.new
        summary.duplicates += stored.duplicates
    }

    private var outcome: JobOutcome {
        var summary = summary
        summary.warnings += position.warnings
        if summary.rowsRead == 0 { summary.warn("The file has a header and no rows.") }
        guard summary.rowsRead > 0, summary.rowsRejected == summary.rowsRead else {
            return .completed(summary: summary.json)
        }
        return .failed(
            reason: "All \(summary.rowsRead) rows were rejected. The first: \(summary.firstRejections.first ?? "")",
            summary: summary.json
        )
    }
}

extension ImportSummary {
    /// Counts a chunk's rows.
    fileprivate mutating func note(_ chunk: Chunk) {
        rowsRead += chunk.rows
        rowsRejected += chunk.rejected.count
        for row in chunk.rejected.prefix(max(0, 10 - firstRejections.count)) {
            firstRejections.append("line \(row.line): \(row.reason)")
        }
    }

    /// Adds a warning, once.
    fileprivate mutating func warn(_ warning: String) {
        if !warnings.contains(warning) { warnings.append(warning) }
    }
}

extension ReadingFile {
    /// Opens the file where a checkpoint says; `nil` when it is another file by now.
    fileprivate func carryOn(from checkpoint: ImportCheckpoint) throws -> Facts? {
        do {
            return try open(from: checkpoint.position, of: checkpoint.file)
        } catch let error as ImportError where error.code == .changed {
            return nil
        }
    }
}

extension ImportType {
    init(job: ImportJob) throws(ImportError) {
        guard let type = ImportType(rawValue: job.type) else {
            throw ImportError(.badOptions, "The job's type is '\(job.type)', which cannot be imported.")
        }
        self = type
    }
}

extension RepeatedTime {
    /// Finds out from the table itself.
    fileprivate init(_ connection: Connection) async throws {
        let rows = try await connection.query(
            """
            SELECT INDEX_NAME, LOWER(COLUMN_NAME) FROM information_schema.STATISTICS
            WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = 'meter_readings' AND NON_UNIQUE = 0
            ORDER BY INDEX_NAME, SEQ_IN_INDEX
            """
        )
        var keys: [String: [String]] = [:]
        for (name, column) in try rows.decode(String.self, String.self) { keys[name, default: []].append(column) }
        self.init(uniqueKeys: Array(keys.values))
    }
}
