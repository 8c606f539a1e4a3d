import GRDB
import HeadroomWatch

/// A row of the table of samples.
struct SampleRow: FetchableRecord, PersistableRecord {
    static let databaseTableName = "sample"

    var sample: GuardSample

    init(_ sample: GuardSample) {
        self.sample = sample
    }

    init(row: Row) throws {
        sample = GuardSample(time: row["time"], level: Level(rawValue: row["level"]) ?? .unknown)
        sample.limit = row["limit"]
        sample.used = row["used"]
        sample.active = row["active"]
        sample.sleeping = row["sleeping"]
        sample.idle = row["idle"]
        sample.error = row["error"]
        sample.serverCode = row["server_code"]
        sample.isRefused = row["is_refused"]
        sample.gap = row["gap_seconds"]
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

    init(row: Row) throws {
        guard let kind = GuardEvent.Kind(rawValue: row["kind"]),
            let change = GuardEvent.Change(rawValue: row["change"])
        else { return }
        event = GuardEvent(
            time: row["time"],
            kind: kind,
            change: change,
            level: Level(rawValue: row["level"]) ?? .unknown,
            subject: row["subject"],
            message: row["message"],
            advice: row["advice"]
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
