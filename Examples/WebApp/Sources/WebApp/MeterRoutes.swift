import Headroom
import HeadroomRequest
import Hummingbird

/// The meters, and their readings.
struct MeterRoutes {
    func add(to router: Router<BasicDatabaseRequestContext>) {
        router.get("meters", use: meters)
        router.get("meters/:mpan/readings", use: month)
        router.get("meters/:mpan/readings.csv", use: csv)
        router.post("meters/:mpan/readings", use: add)
    }

    /// The list of meters.
    @Sendable func meters(_ request: Request, context: BasicDatabaseRequestContext) async throws -> [Meter] {
        try await context.database.withConnection { connection in
            try await connection.query(
                """
                SELECT m.mpan, m.meter_type, s.name FROM meters m JOIN sites s ON s.id = m.site_id
                WHERE m.is_active ORDER BY m.mpan LIMIT 1000
                """
            )
            .decode(String.self, String.self, String.self)
            .map { Meter(mpan: $0, type: $1, site: $2) }
        }
    }

    /// A month's readings as JSON: all of them are in memory, and the connection is closed before the first byte leaves.
    @Sendable func month(_ request: Request, context: BasicDatabaseRequestContext) async throws -> [Reading] {
        let month = try month(of: request)
        let meter = try await meterID(context)
        // Asking again gives the same connection.
        return try await context.database.withConnection { connection in
            try await connection.query(
                """
                SELECT reading_date, reading_time, reading_value FROM meter_readings
                WHERE meter_id = \(meter) AND reading_date >= \(month.first) AND reading_date < \(month.next)
                ORDER BY reading_date, period_number, reading_time
                """
            )
            .decode(String.self, String?.self, String.self)
            .map { Reading(date: $0, time: $1, value: $2) }
        }
    }

    /// All readings of a meter as CSV: streamed while they are read, however many there are.
    @Sendable func csv(_ request: Request, context: BasicDatabaseRequestContext) async throws -> Response {
        let meter = try await meterID(context)
        let rows = try await context.database.rows(
            """
            SELECT reading_date, reading_time, reading_value, reading_type FROM meter_readings
            WHERE meter_id = \(meter) ORDER BY reading_date, period_number, reading_time
            """,
            heading: "date,time,kwh,type\n"
        ) { row, buffer in
            let (date, time, value, type) = try row.decode(String.self, String?.self, String.self, String.self)
            buffer.writeString("\(date),\(time ?? ""),\(value),\(type)\n")
        }
        return Response(status: .ok, headers: [.contentType: "text/csv; charset=utf-8"], body: rows)
    }

    /// Adds one reading: `{"date": "2025-01-31", "time": "00:30:00", "value": "1.250"}`.
    @Sendable func add(_ request: Request, context: BasicDatabaseRequestContext) async throws -> Response {
        // The body is read first: a client that sends slowly holds no connection.
        let reading = try await request.decode(as: Reading.self, context: context)
        guard let value = Double(reading.value), value >= 0, value < 1_000_000 else {
            throw HTTPError(.badRequest, message: "The value must be a number of kWh, such as 1.250.")
        }
        let meter = try await meterID(context)
        do {
            try await context.database.withConnection { connection in
                try await connection.query(
                    """
                    INSERT INTO meter_readings (meter_id, reading_date, reading_time, period_number, reading_value, reading_type)
                    VALUES (\(meter), \(reading.date), \(reading.time),
                            TIME_TO_SEC(\(reading.time)) DIV 1800 + 1, \(reading.value), 'manual')
                    """
                )
            }
        } catch let error as DatabaseError where error.serverCode == 1062 {
            throw HTTPError(.conflict, message: "There is a reading for this time already.")
        } catch let error as DatabaseError where error.serverCode == 1292 {
            throw HTTPError(.badRequest, message: "The date must be as in 2025-01-31, the time as in 00:30:00.")
        }
        return Response(status: .created)
    }

    private func meterID(_ context: BasicDatabaseRequestContext) async throws -> Int {
        let mpan = try context.parameters.require("mpan")
        let id = try await context.database.withConnection { connection in
            try await connection.query("SELECT id FROM meters WHERE mpan = \(mpan)").first(Int.self)
        }
        guard let id else { throw HTTPError(.notFound, message: "There is no such meter.") }
        return id
    }

    private func month(of request: Request) throws -> Month {
        guard let month = request.uri.queryParameters["month"].flatMap({ Month($0) }) else {
            throw HTTPError(.badRequest, message: "Say which month, as in ?month=2025-01.")
        }
        return month
    }
}
