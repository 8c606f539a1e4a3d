import Glibc
import Headroom
import HeadroomJobs
import TestSupport
import Testing

@testable import MeterImport

/// Files are imported into a real database: nothing lost, nothing doubled, every count right.
@Suite(.sandbox()) struct ImportTests {
    private let folder = TemporaryFolder()

    /// A database of its own for one test, with the tables in it.
    private func database(_ name: String) async throws -> Database {
        let database = try await SuiteServer.newDatabase(name)
        _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
        return database
    }

    /// Queues a file and works on it; returns the job as it ended.
    @discardableResult
    private func run(
        _ path: String,
        _ options: ImportOptions = ImportOptions(mpan: "M1"),
        dryRun: Bool = false,
        on database: Database
    ) async throws -> ImportJob {
        let queue = JobQueue(database)
        let new = NewJob(filename: "f", path: path, type: "hh", isDryRun: dryRun, metadata: options.metadata)
        let id = try await queue.add(new, batchID: "batch-\(UInt32.random(in: 0 ... .max))")
        _ = try await Worker(database, handler: MeterImportHandler()).runOnce { _ in }
        return try #require(try await queue.job(id))
    }

    private func summary(_ job: ImportJob) throws -> ImportSummary {
        try #require(job.summary.flatMap(ImportSummary.init(json:)))
    }

    private static var sample: String {
        // Tests/MeterImportTests/ImportTests.swift is two folders below the project.
        "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
            + "/Examples/data/uk-electricity-half-hourly.csv"
    }

    @Test func `a row is kept whose cells have more marks than their columns take`() async throws {
        let marks = String(repeating: "x" + String(repeating: "\u{301}", count: 200), count: 50)
        let path = folder.write("start,value\n2024-01-01 00:00,\(marks)\n2024-01-01 00:30,1\n", to: "marks.csv")
        let job = try await run(path, on: try await database("marks"))
        #expect(job.status == .completed && job.counts.failed == 1, "\(job.errorMessage ?? "")")
    }

    @Test func `the sample file is imported exactly, and a second time nothing doubles`() async throws {
        let database = try await database("sample")
        let options = ImportOptions(mpan: "1200023305967", timezone: "UTC")
        let job = try await run(Self.sample, options, on: database)
        #expect(job.status == .completed)
        #expect(job.totalRows == 35_468)
        #expect(job.counts == ImportJob.Counts(processed: 35_468, imported: 35_468, failed: 0))
        let found = try summary(job)
        #expect(found.rowsRead == 35_468)
        #expect(found.duplicates == 24)
        #expect(found.readingsStored == 35_444)
        #expect(found.metersCreated == 1)
        #expect(found.warnings == [])

        let again = try summary(try await run(Self.sample, options, on: database))
        #expect(again.readingsStored == 0)
        #expect(again.duplicates == 35_468)

        try await database.withConnection { connection in
            let totals = try await connection.query("SELECT COUNT(*), SUM(reading_value) FROM meter_readings")
                .first(Int.self, String.self)
            #expect(totals?.0 == 35_444)
            #expect(totals?.1 == "14080.862")
            let days =
                try await connection.query(
                    """
                    SELECT reading_date, COUNT(*), MAX(period_number), COUNT(DISTINCT period_number) FROM meter_readings
                    WHERE reading_date IN ('2012-03-25', '2012-10-28', '2013-03-31', '2013-10-27')
                    GROUP BY reading_date ORDER BY reading_date
                    """
                )
                .decode(String.self, Int.self, Int.self, Int.self)
            #expect(days.map(\.0) == ["2012-03-25", "2012-10-28", "2013-03-31", "2013-10-27"])
            #expect(days.map(\.1) == [46, 50, 46, 50])
            #expect(days.map(\.2) == [46, 50, 46, 50])
            #expect(days.map(\.3) == [46, 50, 46, 50])
        }
    }

    @Test func `the last of a repeated reading wins, in a file and across files`() async throws {
        let database = try await database("last_wins")
        let first = folder.write("start,value\n2024-01-01 00:00,1\n2024-01-01 00:00,2\n", to: "1.csv")
        let found = try summary(try await run(first, on: database))
        #expect(found.readingsStored == 1)
        #expect(found.duplicates == 1)
        let second = folder.write("start,value\n2024-01-01 00:00,3\n", to: "2.csv")
        #expect(try summary(try await run(second, on: database)).duplicates == 1)
        let value = try await database.withConnection { connection in
            try await connection.query("SELECT reading_value FROM meter_readings").decode(String.self)
        }
        #expect(value == ["3.000"])
    }

    @Test func `an estimate never replaces an actual reading, an actual one replaces an estimate`() async throws {
        let database = try await database("estimates")
        let path = folder.write(
            """
            start,value,type
            2024-01-01 00:00,1,A
            2024-01-01 00:00,2,E
            2024-01-01 00:30,3,E
            2024-01-01 00:30,4,A
            2024-01-01 01:00,5,E
            2024-01-01 01:00,6,E
            2024-01-01 01:30,7,A
            2024-01-01 01:30,8,M
            """,
            to: "e.csv"
        )
        #expect(try summary(try await run(path, on: database)).readingsStored == 4)
        let rows = try await database.withConnection { connection in
            try await connection.query("SELECT reading_value, reading_type FROM meter_readings ORDER BY period_number")
                .decode(String.self, String.self)
        }
        #expect(rows.map(\.0) == ["1.000", "4.000", "6.000", "8.000"])
        #expect(rows.map(\.1) == ["actual", "actual", "estimated", "manual"])
    }

    @Test func `a matrix file is imported, and rejected rows are kept with their reasons`() async throws {
        let database = try await database("matrix")
        let header = "MPAN,Date," + (1...48).map { "HH\($0)" }.joined(separator: ",")
        let good = (1...48).map { "0.\($0)" }.joined(separator: ",")
        let path = folder.write(
            "\(header)\nM1,01/02/2024,\(good)\nM2,01/02/2024,\(good)\nM1,31/02/2024,\(good)\nM1,02/02/2024,x,\(good.dropFirst(4))\n",
            to: "m.csv"
        )
        let job = try await run(path, ImportOptions(), on: database)
        #expect(job.status == .completed)
        #expect(job.counts == ImportJob.Counts(processed: 4, imported: 2, failed: 2))
        let found = try summary(job)
        #expect(found.readingsStored == 96)
        #expect(found.metersCreated == 2)
        let rejected = try await database.withConnection { connection in
            try await connection.query("SELECT line, column_name, cell FROM headroom_rejected_rows ORDER BY line")
                .decode(Int.self, String?.self, String?.self)
        }
        #expect(rejected.map(\.0) == [4, 5])
        #expect(rejected.map(\.1) == ["Date", "HH1"])
        #expect(rejected.map(\.2) == ["31/02/2024", "x"])
    }

    @Test func `of one chunk all rejected rows are kept, also where they need several statements`() async throws {
        let rows = (0..<450).map { "2024-01-01 00:00,x\($0)\n" }.joined()
        let path = folder.write("start,value\n\(rows)2024-01-01 00:30,1\n", to: "many.csv")
        let database = try await database("many_rejects")
        let job = try await run(path, on: database)
        #expect(job.counts.failed == 450, "\(job.errorMessage ?? "")")
        let kept = try await database.withConnection { connection in
            try await connection.query("SELECT COUNT(DISTINCT cell), MIN(line), MAX(line) FROM headroom_rejected_rows")
                .first(Int.self, Int.self, Int.self)
        }
        #expect(kept?.0 == 450 && kept?.1 == 2 && kept?.2 == 451)
    }

    @Test func `rejected rows are given back as a file although the file they come from is gone`() async throws {
        let database = try await database("rejects")
        let path = folder.write("mpan;datetime;kwh;note\n1;2024-01-01 00:00;1;a\n1;soon;2;\"b;c\"\n", to: "gone.csv")
        let job = try await run(path, ImportOptions(), on: database)
        unlink(path)
        let queue = JobQueue(database)
        let csv = try #require(try await queue.rejectedHeader(of: job.id).flatMap(RejectsCSV.init(json:)))
        var lines = csv.headerLine
        try await queue.rejectedRows(of: job.id) { _, content, _ in lines += csv.line(content, reason: "R") }
        #expect(lines == "mpan;datetime;kwh;note;reason\n1;soon;2;\"b;c\";R\n")
        #expect(try await queue.delete(job.id))
        #expect(try await queue.rejectedHeader(of: job.id) == nil)
    }

    @Test func `a second session lets go of its place when another program waits for one`() async throws {
        var settings = try await database("wanted").settings
        settings.budget = 2
        settings.stateFolder = folder.path + "/wanted"
        let path = folder.write(jumble, to: "jumble.csv")
        let database = Database(settings)
        let queue = JobQueue(database)
        // On a busy machine the second session may not be there in time; the next import has one, then.
        for attempt in 0..<20 {
            let id = try await queue.add(NewJob(filename: "f", path: path, type: "hh"), batchID: "wanted-\(attempt)")
            let working = EventFlag()
            let task = Task {
                try await Worker(database, handler: MeterImportHandler(helper: database))
                    .runOnce { if case .progressed = $0 { working.raise() } }
            }
            await working.wait()
            let sessions = try await SuiteServer.administrator()
                .withConnection {
                    try await $0.number("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = 'wanted'")
                }
            guard sessions == 2 else {
                _ = try await task.value
                continue
            }
            // Both places are taken, for as long as neither of the two lets go.
            let isInTheMiddle = try await Database(settings)
                .withConnection {
                    try await $0.number("SELECT processed_rows < 40000 FROM import_jobs WHERE id = \(id)")
                }
            #expect(isInTheMiddle == 1)
            _ = try await task.value
            #expect(try await queue.job(id)?.status == .completed)
            return
        }
        Issue.record("No import had a second session.")
    }

    @Test func `unknown meters are created once, also when imports race`() async throws {
        let database = try await database("meters")
        let paths = (0..<4)
            .map { file in
                folder.write(
                    "mpan,start,value\n" + (0..<50).map { "RACE\($0),2024-01-0\(file + 1) 00:00,1\n" }.joined(),
                    to: "race\(file).csv"
                )
            }
        try await withThrowingTaskGroup { group in
            for path in paths { group.addTask { try await run(path, ImportOptions(), on: database) } }
            try await group.waitForAll()
        }
        try await database.withConnection { connection in
            for (table, count) in [("meters", 50), ("sites", 1), ("companies", 1), ("meter_readings", 200)] {
                let found = try await connection.number("SELECT COUNT(*) FROM \(raw: table)")
                #expect(found == count, "\(table)")
            }
        }
    }

    @Test func `a dry run writes nothing but the job's result`() async throws {
        let database = try await database("dry")
        let path = folder.write("mpan,start,value\nNEW,2024-01-01 00:00,1\nNEW,x,1\n", to: "d.csv")
        let job = try await run(path, ImportOptions(), dryRun: true, on: database)
        #expect(job.status == .completed)
        #expect(job.counts == ImportJob.Counts(processed: 2, imported: 1, failed: 1))
        #expect(try summary(job).firstRejections.count == 1)
        try await database.withConnection { connection in
            for table in ["meters", "sites", "meter_readings", "headroom_rejected_rows"] {
                let count = try await connection.number("SELECT COUNT(*) FROM \(raw: table)")
                #expect(count == 0, "\(table)")
            }
        }
    }

    @Test func `a header alone is completed with a warning`() async throws {
        let database = try await database("header_only")
        let job = try await run(folder.write("start,value\n", to: "h.csv"), on: database)
        #expect(job.status == .completed)
        #expect(job.totalRows == 0)
        #expect(try summary(job).warnings.count == 1)
    }

    @Test func `when every row is rejected the job fails`() async throws {
        let database = try await database("all_rejected")
        let job = try await run(folder.write("start,value\nx,1\ny,2\n", to: "r.csv"), on: database)
        #expect(job.status == .failed)
        #expect(job.errorMessage?.contains("All 2 rows") == true)
        #expect(job.counts == ImportJob.Counts(processed: 2, imported: 0, failed: 2))
    }

    @Test(
        arguments: [("missing", nil), ("empty", ""), ("columns", "a,b\n1,2\n"), ("binary", "a,b\n\0\u{1}\n")]
            as [(String, String?)]
    )
    func `a file that cannot be used fails its job, saying why`(name: String, text: String?) async throws {
        let database = try await database("unusable_\(name)")
        let path = text.map { folder.write($0, to: "\(name).csv") } ?? "/nowhere/\(name).csv"
        let job = try await run(path, on: database)
        #expect(job.status == .failed)
        #expect(job.errorMessage?.isEmpty == false)
    }

    @Test func `a job that its user cancels stops within a chunk, and that chunk is not stored`() async throws {
        let database = try await database("called_off")
        let rows = String(repeating: "2024-01-01 00:00,1\n", count: 200_000)
        let path = folder.write("start,value\n" + rows, to: "c.csv")
        let queue = JobQueue(database)
        let id = try await queue.add(
            NewJob(filename: "f", path: path, type: "hh", metadata: #"{"mpan":"1"}"#),
            batchID: "b"
        )
        let hasBegun = EventFlag()
        let task = Task {
            try await Worker(database, handler: MeterImportHandler())
                .runOnce { if case .progressed = $0 { hasBegun.raise() } }
        }
        await hasBegun.wait()
        #expect(try await queue.cancel(id))
        let atOnce = try #require(try await queue.job(id))
        _ = try await task.value
        let job = try #require(try await queue.job(id))
        #expect(job.status == .cancelled)
        #expect(job.counts == atOnce.counts)
        #expect(job.counts.processed < 200_000)
    }

    @Test(
        arguments: [
            ("Records: 4  Duplicates: 1  Warnings: 0", 4, 2), ("Records: 2  Duplicates: 0  Warnings: 0", 1, 1),
            ("Datensätze: 3  Duplikate: 3  Warnungen: 0", 6, 0), (nil, 1, 1), (nil, 2, 0), (nil, 0, 0),
        ] as [(String?, Int, Int)]
    )
    func `new rows are told from the server's counts`(info: String?, affected: Int, new: Int) {
        #expect(ReadingStore.newRows(affected: affected, info: info) == new)
    }

    /// All that an import leaves, but for ids and batches.
    private func contents(_ database: Database) async throws -> [String] {
        try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT CONCAT_WS('|', m.mpan, r.reading_date, r.reading_time, r.period_number, r.reading_value, r.reading_type)
                FROM meter_readings AS r JOIN meters AS m ON m.id = r.meter_id
                ORDER BY m.mpan, r.reading_date, r.period_number
                """
            )
            .decode(String.self)
        }
    }

    /// Three meters, with days and half-hours that come again, estimates among them.
    private var jumble: String {
        var text = "mpan,datetime,kwh,type\n"
        for row in 0..<40_000 {
            let (meter, half) = (row * 7 % 3, row * 13 % 12_000)
            let day = half / 48 % 28 + 1
            let month = half / 48 / 28 % 10 + 1
            let time = "\(half % 48 / 2 < 10 ? "0" : "")\(half % 48 / 2):\(half % 2 == 0 ? "00" : "30")"
            text +=
                "M\(meter),2024-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day) \(time),\((half * 7 + meter) % 977),"
            text += half % 5 == 0 ? "E\n" : "A\n"
        }
        return text
    }

    @Test func `two sessions store what one stores, with the same counts`() async throws {
        let path = folder.write(jumble, to: "jumble.csv")
        let (one, two) = (try await database("one_session"), try await database("two_sessions"))
        let options = ImportOptions()
        let alone = try await run(path, options, on: one)
        let queue = JobQueue(two)
        let id = try await queue.add(NewJob(filename: "f", path: path, type: "hh"), batchID: "two")
        _ = try await Worker(two, handler: MeterImportHandler(helper: two)).runOnce { _ in }
        let both = try #require(try await queue.job(id))
        #expect(both.status == .completed)
        #expect(both.counts == alone.counts)
        #expect(try summary(both) == (try summary(alone)))
        #expect(try await contents(two) == (try await contents(one)))
    }

    @Test func `where the budget has no room one session does it all`() async throws {
        let whole = try await database("roomy")
        let path = folder.write(jumble, to: "jumble.csv")
        let expected = try await run(path, ImportOptions(), on: whole)
        var settings = try await database("cramped").settings
        settings.budget = 1
        // A folder of its own: others share the account's budget here.
        settings.stateFolder = folder.path + "/state"
        let cramped = Database(settings)
        let queue = JobQueue(cramped)
        let id = try await queue.add(NewJob(filename: "f", path: path, type: "hh"), batchID: "cramped")
        _ = try await Worker(cramped, handler: MeterImportHandler(helper: cramped)).runOnce { _ in }
        let job = try #require(try await queue.job(id))
        #expect(job.status == .completed)
        #expect(try summary(job) == (try summary(expected)))
        #expect(cramped.statistics.open == 0)
    }

    @Test func `a checkpoint of another batch is none`() async throws {
        let database = try await database("emptied")
        let path = folder.write(jumble, to: "jumble.csv")
        let whole = try await run(path, ImportOptions(), on: database)
        // The host has emptied its queue, its readings too: the next job has an old one's id.
        let old = ImportCheckpoint(
            batch: "old",
            file: try FileIdentity(path: path),
            position: FilePosition(),
            summary: ImportSummary()
        )
        var position = FilePosition()
        position.offset = try FileIdentity(path: path).size
        var stale = old
        stale.position = position
        try await database.withConnection { connection in
            try await connection.query("DELETE FROM meter_readings")
            try await connection.query("DELETE FROM meters")
            _ = try await connection.query(
                "INSERT INTO headroom_checkpoints (job_id, lane, checkpoint) VALUES (\(whole.id + 1), 0, \(stale.json))"
            )
        }
        let again = try await run(path, ImportOptions(), on: database)
        #expect(again.id == whole.id + 1)
        #expect(try summary(again) == (try summary(whole)))
    }

    @Test func `a second session that lags behind, or is ahead, is made up for by the next go`() async throws {
        let path = folder.write(jumble, to: "jumble.csv")
        let whole = try await database("whole")
        let expected = try await run(path, ImportOptions(), on: whole)
        let database = try await database("lagging")
        let queue = JobQueue(database)
        let id = try await queue.add(NewJob(filename: "f", path: path, type: "hh"), batchID: "b")
        // Ended by force again and again, at moments of its own choosing.
        for round in 0..<12 {
            let worker = Worker(database, handler: MeterImportHandler(helper: round % 3 == 2 ? nil : database))
            let task = Task { try await worker.runOnce { _ in } }
            try await Task.sleep(for: .milliseconds(Int.random(in: 1...250)))
            task.cancel()
            _ = await task.result
        }
        _ = try await Worker(database, handler: MeterImportHandler(helper: database)).runOnce { _ in }
        let job = try #require(try await queue.job(id))
        #expect(job.status == .completed)
        #expect(job.counts == expected.counts)
        #expect(try summary(job) == (try summary(expected)))
        #expect(try await contents(database) == (try await contents(whole)))
    }

    @Test func `a file that comes again leaves everything as it is, under its new batch`() async throws {
        let path = folder.write(jumble, to: "jumble.csv")
        let database = try await database("again")
        try await run(path, ImportOptions(), on: database)
        let before = try await contents(database)
        let job = try await run(path, ImportOptions(), on: database)
        #expect(try summary(job).readingsStored == 0)
        #expect(try await contents(database) == before)
        let others = try await database.withConnection {
            try await $0.number(
                "SELECT COUNT(*) FROM meter_readings WHERE import_batch_id <> \(job.batchID) AND reading_type <> 'actual'"
            )
        }
        #expect(others == 0)
    }

    @Test func `a job that is deleted takes the readings that it brought, and none of an earlier job`() async throws {
        let database = try await database("deletion")
        let queue = JobQueue(database)
        func add(_ rows: [String], batch: String) async throws -> ImportJob {
            let path = folder.write("start,value\n" + rows.joined(separator: "\n") + "\n", to: "\(batch).csv")
            let id = try await queue.add(
                NewJob(filename: batch, path: path, type: "hh", metadata: #"{"mpan":"M1"}"#),
                batchID: batch
            )
            _ = try await Worker(database, handler: MeterImportHandler()).runOnce { _ in }
            return try #require(try await queue.job(id))
        }
        let first = try await add(["2024-01-01 00:00,1", "2024-01-01 00:30,2"], batch: "first")
        let second = try await add(["2024-01-01 00:30,3", "2024-01-01 01:00,4", "2024-01-01 01:30,5"], batch: "second")
        #expect(try await StoredReadings.count(of: first, database) == StoredReadings.Count(own: 1, earlier: 0))
        let count = try await StoredReadings.count(of: second, database)
        #expect(count.own == 2 && count.earlier == 1)
        #expect(try await StoredReadings.delete(of: second, database) == 2)
        let left = try await database.withConnection { connection in
            try await connection.query("SELECT reading_value FROM meter_readings ORDER BY reading_time")
                .decode(String.self)
        }
        #expect(left == ["1.000", "3.000"])
    }

    @Test func `daily readings are stored once, and leave the half-hours alone`() async throws {
        let database = try await database("daily")
        let halves = folder.write("start,value\n2024-01-01 00:00,1\n2024-01-01 00:30,2\n", to: "h.csv")
        try await run(halves, on: database)
        let path = folder.write("date,value,type\n2024-01-01,48,A\n2024-01-02,50,E\n2024-01-02,51,A\n", to: "d.csv")
        let queue = JobQueue(database)
        for round in 0..<2 {
            let id = try await queue.add(
                NewJob(filename: "d", path: path, type: "daily", metadata: #"{"mpan":"M1"}"#),
                batchID: "daily-\(round)"
            )
            _ = try await Worker(database, handler: MeterImportHandler()).runOnce { _ in }
            let found = try summary(try #require(try await queue.job(id)))
            #expect(found.readingsStored == (round == 0 ? 2 : 0))
            #expect(found.duplicates == (round == 0 ? 1 : 3))
        }
        let rows = try await database.withConnection { connection in
            try await connection.query(
                """
                SELECT CONCAT_WS(' ', reading_date, COALESCE(reading_time, 'day'), reading_value) FROM meter_readings
                ORDER BY reading_date, reading_time IS NULL, reading_time
                """
            )
            .decode(String.self)
        }
        #expect(
            rows == [
                "2024-01-01 00:00:00 1.000", "2024-01-01 00:30:00 2.000", "2024-01-01 day 48.000",
                "2024-01-02 day 51.000",
            ]
        )
    }

    @Test func `sites are stored once, and what a file does not say stays`() async throws {
        let database = try await database("sites")
        let queue = JobQueue(database)
        func run(_ text: String, _ batch: String) async throws -> ImportSummary {
            let path = folder.write(text, to: "\(batch).csv")
            let id = try await queue.add(NewJob(filename: "s", path: path, type: "sites"), batchID: batch)
            _ = try await Worker(database, handler: MeterImportHandler()).runOnce { _ in }
            return try summary(try #require(try await queue.job(id)))
        }
        let first = try await run("name,postcode,sitetype\nHead Office,EC1A 1BB,office\nDepot,,warehouse\n", "b1")
        #expect(first.readingsStored == 2)
        let second = try await run("name,postcode,companyid\nHead Office,,\nDepot,M1 1AA,\nStray,,99\n", "b2")
        #expect(second.readingsStored == 1)
        #expect(second.duplicates == 2)
        #expect(second.warnings.count == 1)
        let rows = try await database.withConnection { connection in
            try await connection.query("SELECT CONCAT_WS(' ', name, postcode, site_type) FROM sites ORDER BY name")
                .decode(String.self)
        }
        #expect(rows == ["Depot M1 1AA warehouse", "Head Office EC1A 1BB office", "Stray other"])
    }

    @Test func `a month of one meter is read from an index, and nothing but the month`() async throws {
        let database = try await database("month")
        let header = "mpan,date," + (1...48).map { "HH\($0)" }.joined(separator: ",") + "\n"
        let values = String(repeating: ",1.5", count: 48)
        let days = (1...29).map { "2024-02-\($0)" } + (1...30).map { "2024-04-\($0)" }
        let rows = (1...10).flatMap { meter in days.map { "M\(meter),\($0)\(values)\n" } }
        let job = try await run(folder.write(header + rows.joined(), to: "months.csv"), on: database)
        #expect(job.counts.imported == 590)
        try await database.withConnection { connection in
            func rowsRead() async throws -> Int {
                let counters = try await connection.query("SHOW SESSION STATUS LIKE 'Handler_read%'")
                return try counters.decode(String.self, String.self).compactMap { Int($0.1) }.reduce(0, +)
            }
            let month: SQL = """
                SELECT reading_date, reading_time, period_number, reading_value FROM meter_readings
                WHERE meter_id = (SELECT id FROM meters WHERE mpan = 'M7')
                  AND reading_date >= '2024-04-01' AND reading_date < '2024-05-01'
                ORDER BY reading_date, reading_time, period_number
                """
            let before = try await rowsRead()
            let found = try await connection.query(month).rows.count
            let read = try await rowsRead() - before
            #expect(found == 30 * 48)
            // Beside them a key or two to begin and to end with, and what the counters themselves are read with.
            #expect(read < found + 1_000)
        }
    }

    @Test func `a page that changes a job while its import begins neither waits nor fails`() async throws {
        let database = try await database("beginning")
        let queue = JobQueue(database)
        let path = folder.write("start,value\n2024-01-01 00:00,1\n", to: "beginning.csv")
        let metadata = ImportOptions(mpan: "M1").metadata
        let id = try await queue.add(NewJob(filename: "f", path: path, type: "hh", metadata: metadata), batchID: "b1")
        try await database.withConnection { holder in
            // The worker stops in the middle of its first transaction, where it writes its checkpoint.
            try await holder.query("START TRANSACTION")
            try await holder.query("INSERT INTO headroom_checkpoints (job_id, lane, checkpoint) VALUES (\(id), 0, '')")
            let worked = Task { try await Worker(database, handler: MeterImportHandler()).runOnce { _ in } }
            let isStopped = try await eventually {
                // The server makes the list anew only when nobody has read it for a tenth of a second.
                try await Task.sleep(for: .milliseconds(150))
                return try await SuiteServer.administrator()
                    .withConnection { connection in
                        try await connection.number(
                            """
                            SELECT COUNT(*) FROM information_schema.innodb_trx
                            WHERE trx_state = 'LOCK WAIT' AND trx_query LIKE '%INTO headroom_checkpoints%'
                            """
                        )
                    } == 1
            }
            #expect(isStopped)
            try await database.withConnection { page in
                try await page.query("SET SESSION innodb_lock_wait_timeout = 1")
                try await page.query("UPDATE import_jobs SET notes = 'seen' WHERE id = \(id)")
            }
            try await holder.query("ROLLBACK")
            #expect(try await worked.value == 1)
        }
        #expect(try await queue.job(id)?.status == .completed)
    }
}
