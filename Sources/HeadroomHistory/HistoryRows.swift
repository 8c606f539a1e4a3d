import GRDB
import Headroom
import HeadroomWatch

/// A row of the table of samples.
struct SampleRow: FetchableRecord, PersistableRecord {
    static let databaseTableName = "sample"

    var sample: GuardSample

    init(_ sample: GuardSample) {
        self.sample = sample
    }

    init(row: GRDB.Row) throws {
        // Decoded, never subscripted: that ends the process where a file of others holds another type.
        func count(_ column: String) throws -> Int? { try row.decode(Int?.self, forColumn: column)?.asCount }
        sample = GuardSample(
            time: try row.decode(Double.self, forColumn: "time"),
            level: Level(rawValue: try row.decode(String.self, forColumn: "level")) ?? .unknown
        )
        sample.limit = try count("limit")
        sample.used = try count("used")
        sample.active = try count("active")
        sample.sleeping = try count("sleeping")
        sample.idle = try count("idle")
        sample.error = try row.decode(String?.self, forColumn: "error")
        sample.serverCode = try count("server_code")
        sample.isRefused = try row.decode(Bool.self, forColumn: "is_refused")
        sample.gap = try row.decode(Double?.self, forColumn: "gap_seconds")
    }

    func encode(to container: inout PersistenceContainer) throws {
        container["time"] = sample.time
        container["level"] = sample.level.rawValue
        container["limit"] = sample.limit
        container["used"] = sample.used
        container["active"] = sample.active
        container["sleeping"] = sample.sleeping
        container["idle"] = sample.idle
        container["error"] = sample.error
        container["server_code"] = sample.serverCode
        container["is_refused"] = sample.isRefused
        container["gap_seconds"] = sample.gap
    }
}

/// A row of the table of events.
struct EventRow: FetchableRecord, PersistableRecord {
    static let databaseTableName = "event"

    /// The event; `nil` when a later version of this program has written it.
    var event: GuardEvent?

    init(_ event: GuardEvent) {
        self.event = event
    }

    init(row: GRDB.Row) throws {
        func text(_ column: String) throws -> String { try row.decode(String.self, forColumn: column) }
        guard let kind = GuardEvent.Kind(rawValue: try text("kind")),
            let change = GuardEvent.Change(rawValue: try text("change"))
        else { return }
        event = GuardEvent(
            time: try row.decode(Double.self, forColumn: "time"),
            kind: kind,
            change: change,
            level: Level(rawValue: try text("level")) ?? .unknown,
            subject: try text("subject"),
            message: try text("message"),
            advice: try text("advice")
        )
    }

    func encode(to container: inout PersistenceContainer) throws {
        guard let event else { return }
        container["time"] = event.time
        container["kind"] = event.kind.rawValue
        container["change"] = event.change.rawValue
        container["level"] = event.level.rawValue
        container["subject"] = event.subject
        container["message"] = event.message
        container["advice"] = event.advice
    }
}
