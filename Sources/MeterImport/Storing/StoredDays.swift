public import Headroom

/// What an import has stored, day by day and over a day, for a look at whether the units are right.
public struct StoredDays: Sendable, Hashable {
    /// A sum of readings.
    public struct Sum: Sendable, Hashable {
        /// The day, such as `2025-05-31`, or the time of day, such as `13:30`.
        public var label: String
        /// The energy in kWh.
        public var value: Double

        /// Creates a sum.
        public init(label: String, value: Double) {
            self.label = label
            self.value = value
        }
    }

    /// The days of a month: of the last two that have readings, the one with more days.
    public var days: [Sum] = []

    /// The times of the last day that has more than one reading.
    public var times: [Sum] = []

    /// That day, such as `2025-05-31`; `nil` when there is none.
    public var day: String?

    /// The number of meters.
    public var meters = 0

    /// Creates sums of nothing.
    public init() {}

    /// Adds up what a job has stored.
    ///
    /// - Parameters:
    ///   - batch: The job's batch.
    ///   - database: The database.
    /// - Returns: The sums over all meters; empty when nothing is there any more.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public static func read(batch: String, _ database: Database) async throws -> StoredDays {
        try await database.withConnection { connection in
            var result = StoredDays()
            // A file often breaks off on the second of a month, which shows little.
            let days =
                try await connection.query(
                    """
                    SELECT CAST(reading_date AS CHAR), CAST(SUM(reading_value) AS DOUBLE), COUNT(*)
                    FROM meter_readings WHERE import_batch_id = \(batch)
                    GROUP BY reading_date ORDER BY reading_date DESC LIMIT 62
                    """
                )
                .decode(String.self, Double.self, Int.self)
            let months = Dictionary(grouping: days) { $0.0.prefix(7) }.mapValues(\.count)
            guard let month = months.max(by: { ($0.value, $0.key) < ($1.value, $1.key) })?.key else { return result }
            result.days = days.filter { $0.0.begins(with: month) }.reversed().map { Sum(label: $0.0, value: $0.1) }
            // A whole day rather than one that the file breaks off in.
            let most = days.map(\.2).max() ?? 0
            result.day = days.first { $0.2 > 1 && $0.2 * 10 >= most * 9 }?.0
            if let day = result.day {
                result.times =
                    try await connection.query(
                        """
                        SELECT COALESCE(TIME_FORMAT(reading_time, '%H:%i'), CAST(period_number AS CHAR), ''),
                               CAST(SUM(reading_value) AS DOUBLE)
                        FROM meter_readings WHERE import_batch_id = \(batch) AND reading_date = \(day)
                        GROUP BY reading_time, period_number ORDER BY reading_time, period_number LIMIT 50
                        """
                    )
                    .decode(String.self, Double.self)
                    .map { Sum(label: $0.0, value: $0.1) }
                result.meters =
                    try await connection
                    .query(
                        """
                        SELECT COUNT(DISTINCT meter_id) FROM meter_readings
                        WHERE import_batch_id = \(batch) AND reading_date = \(day)
                        """
                    )
                    .first(Int.self) ?? 0
            }
            return result
        }
    }
}
