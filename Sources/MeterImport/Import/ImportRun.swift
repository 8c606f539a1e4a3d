import Headroom
import HeadroomJobs

/// One go at a job's file, from where the last commit left it.
///
/// Each chunk's readings, rejected rows, counts and the place in the file are committed together; while the server stores
/// one chunk the next is read. Where a second session helps, it commits its part of each chunk with a checkpoint of its own.
struct ImportRun {
    private let run: JobRun
    private let type: ImportType
    private let file: ReadingFile
    private let facts: ReadingFile.Facts
    private let rejects: RejectStore
    private var meters: MeterDirectory
    private var readings: ReadingStore?
    private var sites: SiteStore?

    /// Behind the last chunk that the first session has committed.
    private var committed: FilePosition
    private var summary: ImportSummary

    /// How far the second session has come.
    private var lane: Lane

    /// The second session; `nil` without one, and once its place was given to somebody who waited for it.
    private var second: SecondSession?

    /// Opens the file at the place where its import carries on.
    ///
    /// - Parameters:
    ///   - run: The go at the job.
    ///   - folders: Where the file must lie; `nil` for anywhere.
    ///   - connection: The first session.
    /// - Throws: ``ImportError`` when it cannot be used; ``DatabaseError``.
    init(_ run: JobRun, in folders: ImportFolders?, _ connection: Connection) async throws {
        self.run = run
        let job = run.job
        type = try ImportType(job: job)
        let options = try ImportOptions(metadata: job.metadata)
        file = ReadingFile(path: job.path, in: folders, type: type, options: options)
        var checkpoint = try await run.lease.checkpoint(connection).flatMap(ImportCheckpoint.init(json:))
        if checkpoint?.batch != job.batchID { checkpoint = nil }
        let lane = try await run.lease.checkpoint(lane: Lane.number, connection).flatMap(Lane.init(json:)) ?? Lane()
        let understanding = try await run.lease.checkpoint(lane: FileUnderstanding.lane, connection)
            .flatMap(FileUnderstanding.init(json:))
        let readings = file
        if let checkpoint,
            let facts = try await run.lease.whileRenewing(
                connection,
                { try await readings.carryOn(from: checkpoint, lane: lane, understanding) }
            )
        {
            self.facts = facts
            committed = checkpoint.position
            summary = checkpoint.summary
            self.lane = lane
        } else {
            // The whole file is read before anything of it is stored, which can take long.
            let isStopping = run.stopLook
            facts = try await run.lease.whileRenewing(connection) { try await readings.open(isStopping: isStopping) }
            committed = FilePosition()
            summary = ImportSummary()
            summary.dryRun = job.isDryRun
            // What a go before this one brought is the job's too.
            summary.firstReading = checkpoint?.summary.firstReading ?? 0
            self.lane = Lane()
            if checkpoint != nil {
                summary.warn(
                    "The file has changed since a part of it was imported; it was imported from its beginning."
                )
            }
        }
        summary.understood = facts.understanding?.lines ?? []
        for warning in facts.understanding?.warnings ?? [] where !summary.warnings.contains(warning) {
            summary.warnings.append(warning)
        }
        meters = MeterDirectory(
            batchID: job.batchID,
            defaultSite: options.defaultSite,
            isSerial: facts.understanding?.layout.meterKind == .serial
        )
        rejects = RejectStore(jobID: job.id, csv: facts.rejects)
    }

    /// Imports what is left of the file.
    ///
    /// - Parameters:
    ///   - connection: The first session.
    ///   - helper: Where a second session comes from; `nil` for none.
    /// - Returns: What became of the job.
    /// - Throws: ``ImportError``, ``DatabaseError``, ``LeaseEnded``, or `CancellationError`.
    mutating func finish(_ connection: Connection, helper: Database?) async throws -> JobOutcome {
        try await begin(connection)
        second = try await secondSession(helper)
        do {
            let outcome = try await work(connection)
            await closeSecond()
            return outcome
        } catch {
            await closeSecond()
            throw error
        }
    }

    private mutating func closeSecond() async {
        await second?.close()
        second = nil
    }

    private func secondSession(_ helper: Database?) async throws -> SecondSession? {
        guard let helper, type == .hh, !run.job.isDryRun else { return nil }
        return try await SecondSession(helper, run)
    }

    /// From how many bytes on a file is long.
    private static let long = 4 << 20

    private mutating func work(_ connection: Connection) async throws -> JobOutcome {
        let file = file
        var before = committed
        func tell() {
            run.progressed(JobProgress(bytesDone: committed.offset, bytesTotal: facts.size, counts: summary.counts))
        }
        // That the rows of a long file begin is progress too, as reading all of it first has taken its time.
        if facts.size - committed.offset > Self.long { tell() }
        var next = try await file.next()
        while let chunk = next {
            if !run.job.isDryRun, type != .sites { try await meters.resolve(chunk.meters, chunk.fuels, connection) }
            async let following = file.next()
            try await commit(chunk, before: before, connection)
            before = chunk.position
            next = try await following
            tell()
            if run.mustStop, next != nil { return .givenBack }
        }
        if !run.job.isDryRun, type != .sites { summary.metersCreated = try await meters.created(connection) }
        try await run.transaction(with: .chunk, connection) {
            let checkpoint = ImportCheckpoint(
                batch: run.job.batchID,
                file: facts.identity,
                position: committed,
                summary: summary
            )
            try await run.lease.advance(checkpoint.json, counts: summary.counts, total: summary.rowsRead, connection)
        }
        return outcome
    }

    /// Makes the connection ready, and writes where this go begins.
    private mutating func begin(_ connection: Connection) async throws {
        let written = Migration([type == .sites ? MeterSchema.sites : MeterSchema.meterReadings] + JobsSchema.tables)
        if let misfit = try await written.misfits(connection).first {
            throw ImportError(.wrongTables, "\(misfit); then queue the file again.")
        }
        if !run.job.isDryRun {
            if type == .sites {
                sites = SiteStore(defaultCompany: try await DefaultSite.company(connection))
            } else {
                readings = try await ReadingStore(batch: run.job.batchID, connection)
            }
        }
        guard committed.offset == 0 else { return }
        if !run.job.isDryRun, type != .sites, summary.firstReading == 0 {
            summary.firstReading =
                try await connection
                .query(
                    """
                    SELECT IF(EXISTS (SELECT 1 FROM meter_readings WHERE import_batch_id = \(run.job.batchID)), 0,
                              COALESCE((SELECT MAX(id) FROM meter_readings), 0) + 1)
                    """
                )
                .first(Int.self) ?? 0
        }
        try await run.transaction(with: .chunk, connection) {
            try await rejects.forget(connection)
            let checkpoint = ImportCheckpoint(
                batch: run.job.batchID,
                file: facts.identity,
                position: committed,
                summary: summary
            )
            // The one that writes the job's row first: a shared lock on it could not become its own where another waits.
            try await run.lease.advance(checkpoint.json, counts: summary.counts, isBeginning: true, connection)
            try await run.lease.advance(lane: Lane.number, Lane().json, rows: 0, connection)
            if let understanding = facts.understanding {
                try await run.lease.advance(lane: FileUnderstanding.lane, understanding.json, rows: 0, connection)
            }
        }
    }

    /// Stores a chunk, or those of its parts that are not stored yet.
    private mutating func commit(
        _ chunk: Chunk,
        before: FilePosition,
        _ connection: Connection
    ) async throws {
        let end = chunk.position.offset
        let parts = PartsToStore(end: end, first: committed.offset, second: lane.offset)
        if second == nil, parts.first, parts.second {
            // All in one session, as a rule.
            return try await commit(chunk, chunk.readings, rows: chunk.rows, before: nil, connection)
        }
        let halves = ChunkHalves(chunk.readings)
        let meterIDs = chunk.meters.map { meters[$0] ?? 0 }
        // Each session counts what it stores; rows that hold a whole day cannot be told apart, and are the first one's.
        let hasRowEach = chunk.readings.count == chunk.rows - chunk.rejected.count
        let rows = hasRowEach ? halves.second.count : 0
        var part = SecondSession.Part(readings: halves.second, meterIDs: meterIDs, rows: rows, lane: lane)
        part.lane.offset = end
        guard let second else {
            // What is left of a chunk that was begun by two.
            if parts.first {
                return try await commit(chunk, halves.first, rows: chunk.rows - rows, before: nil, connection)
            }
            guard var store = readings else { return }
            lane = try await SecondSession.carryOut(part, &store, run.lease, until: run.stop, connection)
            return
        }
        let (order, isSecondLeft) = (part, parts.second)
        async let other = isSecondLeft ? second.store(order) : SecondSession.Stored(lane: order.lane)
        do {
            if parts.first {
                try await commit(chunk, halves.first, rows: chunk.rows - rows, before: before, connection)
            }
        } catch {
            _ = try? await other
            throw error
        }
        let stored = try await other
        if isSecondLeft { lane = stored.lane }
        if stored.isWanted { await closeSecond() }
    }

    /// Stores readings of a chunk with everything else that belongs to it, or nothing.
    private mutating func commit(
        _ chunk: Chunk,
        _ part: [Reading],
        rows: Int,
        before: FilePosition?,
        _ connection: Connection
    ) async throws {
        (summary, committed) = try await run.transaction(with: .chunk, connection) {
            var after = summary
            after.note(chunk)
            // How many rows are to come is not known; what is read so far tells about how many.
            let total = Self.total(rows: after.rowsRead, size: facts.size, offset: chunk.position.offset)
            if !run.job.isDryRun {
                try await rejects.store(chunk.rejected, connection)
                try await store(chunk, part, &after, connection)
            }
            let checkpoint = ImportCheckpoint(
                batch: run.job.batchID,
                file: facts.identity,
                position: chunk.position,
                summary: after,
                before: before
            )
            let failed = chunk.rejected.count
            let counts = ImportJob.Counts(processed: rows, imported: rows - failed, failed: failed)
            try await run.lease.advance(checkpoint.json, counts: counts, total: total, adds: true, connection)
            return (after, chunk.position)
        }
    }

    /// About how many rows the file has; as a fraction, since rows times bytes overflow for a large file.
    private static func total(rows: Int, size: Int, offset: Int) -> Int? {
        guard offset > 0 else { return nil }
        return Int(min(Double(rows) * (Double(size) / Double(offset)), Double(UInt32.max)))
    }

    private mutating func store(
        _ chunk: Chunk,
        _ part: [Reading],
        _ summary: inout ImportSummary,
        _ connection: Connection
    ) async throws {
        let stored: ReadingStore.Stored
        switch type {
        case .hh:
            guard var store = readings else { return }
            stored = try await store.store(part, meterIDs: chunk.meters.map { meters[$0] ?? 0 }, connection)
            readings = store
            if store.repeated == .byTime, chunk.readings.contains(where: \.isSecondRun) {
                summary.warn(RepeatedTime.warning)
            }
        case .daily:
            stored = try await DailyStore.store(part, meterIDs: chunk.meters.map { meters[$0] ?? 0 }, connection)
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
        summary.readingsStored += lane.new
        summary.duplicates += lane.duplicates
        for warning in committed.warnings { summary.warn(warning) }
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
    /// The rows so far, as the queue counts them.
    fileprivate var counts: ImportJob.Counts {
        ImportJob.Counts(processed: rowsRead, imported: rowsRead - rowsRejected - rowsLeftOut, failed: rowsRejected)
    }

    /// Counts a chunk's rows.
    fileprivate mutating func note(_ chunk: Chunk) {
        rowsRead += chunk.rows
        rowsRejected += chunk.rejected.count
        rowsLeftOut += chunk.leftOut
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
    /// Opens the file where the slower of two sessions carries on; `nil` when it is another file by now.
    fileprivate func carryOn(
        from checkpoint: ImportCheckpoint,
        lane: Lane,
        _ understanding: FileUnderstanding?
    ) throws -> Facts? {
        let isBehind = lane.offset < checkpoint.position.offset
        let start = isBehind ? checkpoint.before ?? checkpoint.position : checkpoint.position
        do {
            return try open(from: start, of: checkpoint.file, understood: understanding)
        } catch let error as ImportError where error.code == .changed {
            return nil
        }
    }
}

extension ImportType {
    init(job: ImportJob) throws(ImportError) {
        guard let type = ImportType(rawValue: job.type) else {
            throw ImportError(.badOptions, "The job's type is '\(shown(job.type))', which cannot be imported.")
        }
        self = type
    }
}
