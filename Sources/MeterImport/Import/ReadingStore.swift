import Headroom
import HeadroomJobs

/// Writes readings and rejected rows.
struct ReadingStore {
    /// The job's batch, under which the readings are stored.
    let batchID: String

    /// The job's id.
    let jobID: Int

    /// Stores readings; where one is there already the later one wins, but an estimate never replaces an actual one.
    ///
    /// - Returns: How many were new; the others were there already, or twice among these.
    func store(_ readings: [Reading], meters: [Int], _ connection: Connection) async throws -> Int {
        guard !readings.isEmpty else { return 0 }
        var statement: SQL = """
            INSERT INTO meter_readings
              (meter_id, reading_date, reading_time, period_number, reading_value, reading_type, import_batch_id)
            VALUES
            """
        for (index, reading) in readings.enumerated() {
            statement.append(
                """
                \(raw: index == 0 ? " " : ", ")(\(meters[reading.meter]), \(reading.date.text), \(reading.time), \
                \(reading.period), \(reading.energy.text), \(reading.type.rawValue), \(batchID))
                """
            )
        }
        // The type comes last: the others look at the one that was stored before, and MySQL assigns from left to right.
        statement.append(
            """
             ON DUPLICATE KEY UPDATE
              reading_value = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual',
                                 reading_value, VALUES(reading_value)),
              import_batch_id = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual',
                                   import_batch_id, VALUES(import_batch_id)),
              reading_type = IF(VALUES(reading_type) = 'estimated' AND reading_type = 'actual',
                                reading_type, VALUES(reading_type))
            """
        )
        let result = try await connection.query(statement)
        return Self.newRows(affected: result.affectedRows, info: result.info)
    }

    /// How many rows of an `INSERT … ON DUPLICATE KEY UPDATE` were new.
    ///
    /// The server counts 1 for a new row, 2 for a changed one and 0 for one that stayed as it was, and says in its summary
    /// how many it changed: the new ones are what is left. A statement with one row has no summary, and needs none.
    static func newRows(affected: Int, info: String?) -> Int {
        guard let info else { return affected == 1 ? 1 : 0 }
        // "Records: 1000  Duplicates: 3  Warnings: 0", translated by lc_messages: the numbers tell.
        let numbers = info.split { !$0.isNumber }.compactMap { Int($0) }
        return affected - 2 * (numbers.count > 1 ? numbers[1] : 0)
    }

    /// Keeps the rows that were rejected.
    func store(_ rejected: [RejectedRow], _ connection: Connection) async throws {
        var rest = rejected[...]
        while !rest.isEmpty {
            var statement: SQL = """
                INSERT INTO headroom_rejected_rows (job_id, line, column_name, cell, reason, content) VALUES
                """
            for (index, row) in rest.prefix(200).enumerated() {
                statement.append(
                    """
                    \(raw: index == 0 ? " " : ", ")(\(jobID), \(row.line), \(row.column.map { String($0.prefix(255)) }), \
                    \(row.cell.map { String($0.prefix(1000)) }), \(String(row.reason.prefix(500))), \(row.content))
                    """
                )
            }
            try await connection.query(statement)
            rest = rest.dropFirst(200)
        }
    }

    /// Writes how far the job is.
    ///
    /// - Returns: Whether the job is still this worker's; not when its user has cancelled it.
    func write(_ counts: ImportJob.Counts, total: Int?, _ connection: Connection) async throws -> Bool {
        let result = try await connection.query(
            """
            UPDATE import_jobs
            SET processed_rows = \(counts.processed), imported_rows = \(counts.imported),
                failed_rows = \(counts.failed), total_rows = COALESCE(\(total), total_rows)
            WHERE id = \(jobID) AND status = 'processing'
            """
        )
        if result.affectedRows > 0 { return true }
        // Numbers that stay the same change no row either.
        let status = try await connection.query("SELECT status FROM import_jobs WHERE id = \(jobID)").first(String.self)
        return status == "processing"
    }

    /// Drops the rejected rows of an earlier attempt at the same job.
    func forgetRejections(_ connection: Connection) async throws {
        try await connection.query("DELETE FROM headroom_rejected_rows WHERE job_id = \(jobID)")
    }
}
