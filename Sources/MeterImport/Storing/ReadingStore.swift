import Headroom

/// Writes half-hourly readings, in the fastest of the ways that the server allows.
///
/// New readings go in one statement for a chunk: as bound rows where the server takes many at once (MariaDB outside a
/// cluster), as text elsewhere. Where most of a chunk is there already, as when a file comes again, its rows are looked up
/// first and changed by their ids: an insert that meets a row costs the server twice what a new one does.
/// `docs/benchmarks.md` has the figures.
struct ReadingStore {
    /// How many readings a chunk has added.
    struct Stored: Hashable {
        /// The readings that are new in the database.
        var new = 0
        /// The readings that were there already, or came twice; the last one counts.
        var duplicates = 0
    }

    /// How the table tells the two runs of the repeated hour apart.
    let repeated: RepeatedTime

    private var takesBulk: Bool
    // The first chunk tells: looking for rows that are not there costs little.
    private var expectsDuplicates = true

    /// Makes a connection ready to store readings.
    ///
    /// - Parameters:
    ///   - batch: The batch under which they are stored.
    ///   - connection: The connection.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    init(batch: String, _ connection: Connection) async throws {
        try await Self.begin(batch: batch, connection)
        // Without locks on the gaps between rows, two sessions and two imports stay out of each other's way. A server that
        // logs statements rather than rows refuses to write so (MariaDB, MySQL: error 1665).
        let logsStatements = try await Self.logsStatements(connection)
        if !logsStatements {
            try await connection.query("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        }
        repeated = try await RepeatedTime(connection)
        let isInCluster = connection.takesBulk ? try await Self.isInCluster(connection) : false
        takesBulk = connection.takesBulk && !isInCluster && !logsStatements
    }

    /// Whether the server is a node of a Galera cluster.
    ///
    /// There a commit of another node may end a local transaction at any time, which the statement then reports (1213). For
    /// many bound rows the server (MariaDB 10.11.19) reports success instead: the rows up to there are gone, those behind it
    /// are stored, and the COMMIT succeeds with a place in the file that is behind them all. The same rows as text are
    /// refused as they should be.
    private static func isInCluster(_ connection: Connection) async throws -> Bool {
        do {
            return try await connection.query("SELECT @@wsrep_on").first(Bool.self) ?? false
        } catch let error as DatabaseError where error.serverCode == 1193 {
            // A server that is built without.
            return false
        }
    }

    private static func logsStatements(_ connection: Connection) async throws -> Bool {
        do {
            return try await connection.query("SELECT @@log_bin AND @@binlog_format = 'STATEMENT'").first(Bool.self)
                ?? false
        } catch let error as DatabaseError where error.serverCode == 1193 {
            // MySQL is about to drop the variable, and to log rows only.
            return false
        }
    }

    /// Tells a session for which batch it stores; to be called once for each connection.
    static func begin(batch: String, _ connection: Connection) async throws {
        try await connection.query("SET @headroom_batch = \(batch)")
    }

    /// Stores readings; where one is there already the later one wins, but an estimate never replaces an actual one.
    ///
    /// - Parameters:
    ///   - readings: The readings, in the order in which later ones win.
    ///   - meterIDs: The ids of the readings' meters.
    ///   - connection: The connection, with a transaction.
    /// - Returns: How many were new, and how many were not.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    mutating func store(
        _ readings: [Reading],
        meterIDs: [Int],
        _ connection: Connection
    ) async throws -> Stored {
        guard !readings.isEmpty else { return Stored() }
        var stored: Stored
        if expectsDuplicates, let rows = StoredRows(readings, meterIDs: meterIDs) {
            let merge = ReadingMerge(
                readings,
                meterIDs: meterIDs,
                repeated: repeated,
                stored: try await rows.find(connection)
            )
            for statement in ReadingSQL.changes(merge, meterIDs: meterIDs) {
                try await connection.query(SQL(raw: statement))
            }
            stored = try await insert(merge.inserts, meterIDs: meterIDs, connection)
            stored.duplicates += merge.duplicates
        } else {
            stored = try await insert(readings, meterIDs: meterIDs, connection)
        }
        expectsDuplicates = stored.duplicates * 4 > readings.count
        return stored
    }

    private mutating func insert(
        _ readings: [Reading],
        meterIDs: [Int],
        _ connection: Connection
    ) async throws -> Stored {
        guard !readings.isEmpty else { return Stored() }
        let result = try await insertion(readings, meterIDs, connection)
        let new = Self.newRows(affected: result.affectedRows, info: result.info)
        return Stored(new: new, duplicates: readings.count - new)
    }

    private mutating func insertion(
        _ readings: [Reading],
        _ meterIDs: [Int],
        _ connection: Connection
    ) async throws -> QueryResult {
        if takesBulk, readings.count > 1 {
            do {
                return try await connection.bulk(
                    SQL(raw: ReadingSQL.bulkInsertion),
                    ReadingSQL.columns(readings, meterIDs: meterIDs, repeated: repeated)
                )
            } catch let error as DatabaseError where [4033, 5003].contains(error.serverCode) {
                // A server that logs statements does not take it, and a proxy in between does not know it.
                takesBulk = false
            }
        }
        let text = ReadingSQL.insertion(readings, meterIDs: meterIDs, repeated: repeated)
        return try await connection.query(SQL(raw: text))
    }

    /// How many rows of an `INSERT … ON DUPLICATE KEY UPDATE` were new.
    ///
    /// The server counts 1 for a new row, 2 for a changed one and 0 for one that stayed as it was, and says in its summary
    /// how many it changed: the new ones are what is left. A statement with one row has no summary, and needs none.
    static func newRows(affected: Int, info: String?) -> Int {
        guard let info else { return affected == 1 ? 1 : 0 }
        // "Records: 1000  Duplicates: 3  Warnings: 0", translated by lc_messages: the numbers tell.
        let numbers = info.pieces { !$0.isDigit }.compactMap { Int($0) }
        return affected &- 2 &* (numbers.count > 1 ? numbers[1] : 0)
    }
}
