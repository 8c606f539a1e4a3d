import FoundationEssentials
import Headroom
public import HeadroomWatch
import Synchronization

/// The guard's history: a file with a row for each sample and each event, bounded in days and in rows.
public final class GuardHistory: Sendable {
    /// The most samples that are kept, however young they are: 500,000, some 60 MB.
    public static let mostSamples = 500_000

    /// The most events that are kept, however young they are: 100,000.
    public static let mostEvents = 100_000

    private let file: Mutex<SQLiteFile>
    private let days: Int

    /// Opens the file, and makes it when there is none, so that all of its folder's group may go on with it, whichever user was first;
    /// SQLite gives the files beside it the same rights.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - days: How many days are kept, 1 at least.
    /// - Throws: ``HistoryFile/Refused``, or what SQLite reports.
    public init(_ path: String, days: Int = 14) throws {
        try HistoryFile.prepare(path, isToWrite: true)
        let opened = try SQLiteFile(path, isToWrite: true)
        // Only before the first table: what is pruned makes the file smaller then.
        try opened.run("PRAGMA auto_vacuum = INCREMENTAL")
        // Those who read beside the guard neither wait for it nor make it wait.
        try opened.run("PRAGMA journal_mode = WAL")
        try opened.run("PRAGMA synchronous = NORMAL")
        try opened.run("PRAGMA cache_size = -256")
        // The log starts again from its beginning after some 400 kB.
        try opened.run("PRAGMA wal_autocheckpoint = 100")
        for statement in Self.tables { try opened.run(statement) }
        file = Mutex(opened)
        self.days = max(1, days)
    }

    /// Opens a file to read it only.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: ``HistoryFile/Refused``, or what SQLite reports.
    public init(reading path: String) throws {
        try HistoryFile.prepare(path, isToWrite: false)
        file = Mutex(try SQLiteFile(path, isToWrite: false))
        days = 1
    }

    private static let tables = [
        """
        CREATE TABLE IF NOT EXISTS sample (id INTEGER PRIMARY KEY AUTOINCREMENT, time DOUBLE NOT NULL, "limit" INTEGER,
            used INTEGER, active INTEGER, sleeping INTEGER, idle INTEGER, level TEXT NOT NULL, error TEXT,
            server_code INTEGER, is_refused BOOLEAN NOT NULL, gap_seconds DOUBLE)
        """,
        "CREATE INDEX IF NOT EXISTS sample_on_time ON sample (time)",
        """
        CREATE TABLE IF NOT EXISTS event (id INTEGER PRIMARY KEY AUTOINCREMENT, time DOUBLE NOT NULL, kind TEXT NOT NULL,
            change TEXT NOT NULL, level TEXT NOT NULL, subject TEXT NOT NULL, message TEXT NOT NULL, advice TEXT NOT NULL)
        """,
        "CREATE INDEX IF NOT EXISTS event_on_time ON event (time)",
        "CREATE TABLE IF NOT EXISTS memory (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
    ]

    /// Adds what a look came to, all of it or nothing.
    ///
    /// - Parameter round: What the look came to.
    /// - Throws: What SQLite reports, such as a full disk.
    public func add(_ round: GuardRound) async throws {
        let memory = String(decoding: try JSONEncoder().encode(round.memory), as: UTF8.self)
        try await blocking { file in
            try file.inTransaction {
                try file.add(round.sample)
                for event in round.events { try file.add(event) }
                try file.run("INSERT OR REPLACE INTO memory (id, text) VALUES (1, ?)", .text(memory))
            }
        }
    }

    /// Removes what is older than the days that are kept, or more than the most rows.
    ///
    /// - Parameter time: The time now, in seconds since 1970.
    /// - Throws: What SQLite reports.
    public func prune(at time: Double) async throws {
        let oldest = time - Double(days) * 86_400
        try await blocking { file in
            try file.inTransaction {
                for (table, most) in [("sample", Self.mostSamples), ("event", Self.mostEvents)] {
                    try file.run("DELETE FROM \(table) WHERE time < ?", .real(oldest))
                    try file.run("DELETE FROM \(table) WHERE id <= (SELECT MAX(id) FROM \(table)) - ?", .integer(most))
                }
            }
            try file.run("PRAGMA incremental_vacuum")
        }
    }

    /// What the guard had said and seen when it last wrote; `nil` when there is nothing that can be understood.
    ///
    /// - Returns: The memory.
    /// - Throws: What SQLite reports.
    public func memory() async throws -> GuardMemory? {
        let text = try await blocking { file in
            try file.rows("SELECT text FROM memory WHERE id = 1") { row in try row.text("text") }.first ?? nil
        }
        return text.flatMap { JSONBounds.holds($0) ? $0 : nil }
            .flatMap { try? JSONDecoder().decode(GuardMemory.self, from: Data($0.utf8)) }
    }

    /// The samples since a time, the oldest first.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    /// - Returns: The samples.
    /// - Throws: What SQLite reports.
    public func samples(since time: Double) async throws -> [GuardSample] {
        try await blocking { file in
            try file.rows("SELECT * FROM sample WHERE time >= ? ORDER BY id", [.real(time)]) { row in
                try GuardSample(row)
            }
        }
    }

    /// The events since a time, the oldest first.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    /// - Returns: The events.
    /// - Throws: What SQLite reports.
    public func events(since time: Double) async throws -> [GuardEvent] {
        try await blocking { file in
            try file.rows("SELECT * FROM event WHERE time >= ? ORDER BY id", [.real(time)]) { row in try GuardEvent(row)
            }
            .compactMap(\.self)
        }
    }

    /// Runs a body on a thread of its own, as the file's calls sleep in the kernel.
    private func blocking<Result: Sendable>(
        _ body: @escaping @Sendable (borrowing SQLiteFile) throws -> Result
    ) async throws -> Result {
        try await withCheckedThrowingContinuation { continuation in
            do throws(DatabaseError) {
                try startDetachedThread(named: "headroom-sqlite") {
                    continuation.resume(with: Swift.Result { try self.file.withLock { file in try body(file) } })
                }
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

extension SQLiteFile {
    fileprivate func add(_ sample: GuardSample) throws {
        try run(
            """
            INSERT INTO sample (time, "limit", used, active, sleeping, idle, level, error, server_code, is_refused, gap_seconds)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            .real(sample.time),
            Value(sample.limit),
            Value(sample.used),
            Value(sample.active),
            Value(sample.sleeping),
            Value(sample.idle),
            .text(sample.level.rawValue),
            Value(sample.error),
            Value(sample.serverCode),
            .integer(sample.isRefused ? 1 : 0),
            Value(sample.gap)
        )
    }

    fileprivate func add(_ event: GuardEvent) throws {
        try run(
            "INSERT INTO event (time, kind, change, level, subject, message, advice) VALUES (?, ?, ?, ?, ?, ?, ?)",
            .real(event.time),
            .text(event.kind.rawValue),
            .text(event.change.rawValue),
            .text(event.level.rawValue),
            .text(event.subject),
            .text(event.message),
            .text(event.advice)
        )
    }
}

// A file of others may hold anything: what is not of a column's type is an error, and a negative count is none.
extension GuardSample {
    fileprivate init(_ row: borrowing SQLiteFile.Row) throws {
        self.init(
            time: try row.required(row.real("time"), "time"),
            level: Level(rawValue: try row.required(row.text("level"), "level")) ?? .unknown
        )
        limit = try row.integer("limit")?.asCount
        used = try row.integer("used")?.asCount
        active = try row.integer("active")?.asCount
        sleeping = try row.integer("sleeping")?.asCount
        idle = try row.integer("idle")?.asCount
        error = try row.text("error")
        serverCode = try row.integer("server_code")?.asCount
        isRefused = try row.required(row.integer("is_refused"), "is_refused") != 0
        gap = try row.real("gap_seconds")
    }
}

extension GuardEvent {
    /// The event; `nil` when a later version of this program has written it.
    fileprivate init?(_ row: borrowing SQLiteFile.Row) throws {
        guard let kind = Kind(rawValue: try row.required(row.text("kind"), "kind")),
            let change = Change(rawValue: try row.required(row.text("change"), "change"))
        else { return nil }
        self.init(
            time: try row.required(row.real("time"), "time"),
            kind: kind,
            change: change,
            level: Level(rawValue: try row.required(row.text("level"), "level")) ?? .unknown,
            subject: try row.required(row.text("subject"), "subject"),
            message: try row.required(row.text("message"), "message"),
            advice: try row.required(row.text("advice"), "advice")
        )
    }
}
