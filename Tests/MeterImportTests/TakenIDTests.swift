import Headroom
import HeadroomJobs
import TestSupport
import Testing

@testable import MeterImport

/// The server may make an id that another row has: two nodes of a cluster do while one of them is cut off.
///
/// A trigger stands in for that here: it gives the next new row the id in `@taken`.
@Suite(.sandbox()) struct TakenIDTests {
    private func database(_ name: String) async throws -> Database {
        let database = try await SuiteServer.newDatabase(name)
        _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
        try await SuiteServer.administrator()
            .withConnection { connection in
                for table in ["meters", "meter_readings"] {
                    try await connection.query(
                        """
                        CREATE TRIGGER \(raw: name).\(raw: table)_taken BEFORE INSERT ON \(raw: name).\(raw: table) FOR EACH ROW
                        SET NEW.id = IF(@taken > 0, @taken, NEW.id), @taken = 0
                        """
                    )
                }
            }
        return database
    }

    private func readings(_ day: Int, value: Int64) -> [Reading] {
        (1...48)
            .map { period in
                Reading(
                    meter: 0,
                    halfHour: HalfHour(date: CalendarDate(days: day), seconds: (period - 1) * 1800, period: period),
                    energy: Energy(thousandths: value),
                    type: .actual
                )
            }
    }

    @Test func `a reading whose id is taken overwrites nobody's, and its chunk is tried again`() async throws {
        try await database("taken_readings")
            .withConnection { connection in
                var meters = MeterDirectory(batchID: "b", defaultSite: nil, isSerial: false)
                try await meters.resolve(["ONE", "TWO"], [], connection)
                let (one, two) = try (#require(meters["ONE"]), #require(meters["TWO"]))
                var store = try await ReadingStore(batch: "b", connection)
                _ = try await store.store(readings(19_000, value: 1), meterIDs: [one], connection)
                // Another meter's, and another day's of the same.
                for (meter, day) in [(two, 19_000), (one, 19_001)] {
                    let taken = try await connection.query("SELECT MIN(id) FROM meter_readings").first(Int.self)
                    try await connection.query("SET @taken = \(try #require(taken))")
                    let error = await #expect(throws: DatabaseError.self) {
                        try await connection.withTransaction {
                            _ = try await store.store(readings(day, value: 2), meterIDs: [meter], connection)
                        }
                    }
                    #expect(error?.serverCode == TakenID.serverCode)
                    var retry = RetryPolicy.chunk
                    #expect(error.flatMap { retry.pause(after: $0) } != nil)
                    let stored = try await store.store(readings(day, value: 2), meterIDs: [meter], connection)
                    #expect(stored == ReadingStore.Stored(new: 48, duplicates: 0))
                }
                let sums =
                    try await connection.query(
                        """
                        SELECT COUNT(*), CAST(SUM(reading_value * 1000) AS SIGNED) FROM meter_readings
                        GROUP BY meter_id, reading_date ORDER BY meter_id, reading_date
                        """
                    )
                    .decode(Int.self, Int.self)
                #expect(sums.map(\.0) == [48, 48, 48] && sums.map(\.1) == [48, 96, 96])
            }
    }

    @Test func `a meter whose id is taken renames nobody's, and gets another`() async throws {
        try await database("taken_meters")
            .withConnection { connection in
                var meters = MeterDirectory(batchID: "b", defaultSite: nil, isSerial: false)
                try await meters.resolve(["ONE"], [], connection)
                let one = try #require(meters["ONE"])
                try await connection.query("SET @taken = \(one)")
                try await meters.resolve(["TWO"], [], connection)
                let two = try #require(meters["TWO"])
                #expect(two != one)
                let names = try await connection.query("SELECT mpan FROM meters ORDER BY id").decode(String.self)
                #expect(names == ["ONE", "TWO"])
            }
    }
}
