import Headroom

/// Keeps the rows that were rejected.
struct RejectStore {
    /// The job's id.
    let jobID: Int

    /// Writes them as a file; kept with the rows, as the file may be gone when they are asked for.
    let csv: RejectsCSV

    /// Keeps rows, in the transaction with the chunk that they come from.
    func store(_ rejected: [RejectedRow], _ connection: Connection) async throws {
        guard !rejected.isEmpty else { return }
        try await connection.query(
            """
            INSERT INTO headroom_rejected_headers (job_id, header) VALUES (\(jobID), \(csv.json))
            ON DUPLICATE KEY UPDATE header = VALUES(header)
            """
        )
        var rest = rejected[...]
        while !rest.isEmpty {
            var statement: SQL = """
                INSERT INTO headroom_rejected_rows (job_id, line, column_name, cell, reason, content) VALUES
                """
            for (index, row) in rest.prefix(200).enumerated() {
                statement.append(
                    """
                    \(raw: index == 0 ? " " : ", ")(\(jobID), \(row.line), \(row.column.map { fitting($0, 255) }), \
                    \(row.cell.map { fitting($0, 1000) }), \(fitting(row.reason, 500)), \(row.content))
                    """
                )
            }
            try await connection.query(statement)
            rest = rest.dropFirst(200)
        }
    }

    /// The beginning of a text that a column takes: the server counts scalars, of which one character may have any number.
    private func fitting(_ text: String, _ most: Int) -> String { String(text.unicodeScalars.prefix(most)) }

    /// Drops the rows of an earlier attempt at the same job.
    func forget(_ connection: Connection) async throws {
        try await connection.query("DELETE FROM headroom_rejected_rows WHERE job_id = \(jobID)")
        try await connection.query("DELETE FROM headroom_rejected_headers WHERE job_id = \(jobID)")
    }
}
