import FoundationEssentials
import GRDB
import Glibc
import Headroom
public import HeadroomWatch

/// The guard's history: a file with a row for each sample and each event, bounded in days and in rows.
public final class GuardHistory: Sendable {
    /// The most samples that are kept, however young they are: 500,000, some 60 MB.
    public static let mostSamples = 500_000

    /// The most events that are kept, however young they are: 100,000.
    public static let mostEvents = 100_000

    private let queue: DatabaseQueue
    private let days: Int

    /// Opens the file, and makes it when there is none, so that all of its folder's group may go on with it, whoever was first;
    /// SQLite gives the files beside it the same rights.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - days: How many days are kept, 1 at least.
    /// - Throws: ``HistoryFile/Refused``, or what SQLite reports.
    public init(_ path: String, days: Int = 14) throws {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { database in
            // Those who read beside the guard neither wait for it nor make it wait.
            try database.execute(sql: "PRAGMA journal_mode = WAL")
            try database.execute(sql: "PRAGMA synchronous = NORMAL")
            try database.execute(sql: "PRAGMA cache_size = -256")
            // The log starts again from its beginning after some 400 kB.
            try database.execute(sql: "PRAGMA wal_autocheckpoint = 100")
        }
        try HistoryFile.prepare(path, isToWrite: true)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        self.days = max(1, days)
        try queue.writeWithoutTransaction { database in
            // Only before the first table: what is pruned makes the file smaller then.
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        }
        try HistorySchema.migrator.migrate(queue)
    }

    /// Opens a file to read it only.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: ``HistoryFile/Refused``, or what SQLite reports.
    public init(reading path: String) throws {
        var configuration = Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(5)
        try HistoryFile.prepare(path, isToWrite: false)
        queue = try DatabaseQueue(path: path, configuration: configuration)
        days = 1
    }

    /// Adds what a look came to, all of it or nothing.
    ///
    /// - Parameter round: What the look came to.
    /// - Throws: What SQLite reports, such as a full disk.
    public func add(_ round: GuardRound) async throws {
        let memory = try JSONEncoder().encode(round.memory)
        try await queue.write { database in
            try SampleRow(round.sample).insert(database)
            for event in round.events { try EventRow(event).insert(database) }
            try database.execute(
                sql: "INSERT OR REPLACE INTO memory (id, text) VALUES (1, ?)",
                arguments: [String(decoding: memory, as: UTF8.self)]
            )
        }
    }

    /// Removes what is older than the days that are kept, or more than the most rows.
    ///
    /// - Parameter time: The time now, in seconds since 1970.
    /// - Throws: What SQLite reports.
    public func prune(at time: Double) async throws {
        let oldest = time - Double(days) * 86_400
        try await queue.write { database in
            for (table, most) in [("sample", Self.mostSamples), ("event", Self.mostEvents)] {
                try database.execute(sql: "DELETE FROM \(table) WHERE time < ?", arguments: [oldest])
                try database.execute(
                    sql: "DELETE FROM \(table) WHERE id <= (SELECT MAX(id) FROM \(table)) - ?",
                    arguments: [most]
                )
            }
        }
        try await queue.writeWithoutTransaction { database in
            _ = try GRDB.Row.fetchAll(database, sql: "PRAGMA incremental_vacuum")
        }
    }

    /// What the guard had said and seen when it last wrote; `nil` when there is nothing that can be understood.
    ///
    /// - Returns: The memory.
    /// - Throws: What SQLite reports.
    public func memory() async throws -> GuardMemory? {
        let text = try await queue.read { try String.fetchOne($0, sql: "SELECT text FROM memory WHERE id = 1") }
        return text.flatMap { BelievableJSON.holds($0) ? $0 : nil }
            .flatMap { try? JSONDecoder().decode(GuardMemory.self, from: Data($0.utf8)) }
    }

    /// The samples since a time, the oldest first.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    /// - Returns: The samples.
    /// - Throws: What SQLite reports.
    public func samples(since time: Double) async throws -> [GuardSample] {
        try await queue.read { database in
            try SampleRow.fetchAll(database, sql: "SELECT * FROM sample WHERE time >= ? ORDER BY id", arguments: [time])
                .map(\.sample)
        }
    }

    /// The events since a time, the oldest first.
    ///
    /// - Parameter time: The time, in seconds since 1970.
    /// - Returns: The events.
    /// - Throws: What SQLite reports.
    public func events(since time: Double) async throws -> [GuardEvent] {
        try await queue.read { database in
            try EventRow.fetchAll(database, sql: "SELECT * FROM event WHERE time >= ? ORDER BY id", arguments: [time])
                .compactMap(\.event)
        }
    }
}
