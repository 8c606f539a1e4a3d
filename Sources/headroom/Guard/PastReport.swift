import CommandSupport
import FoundationEssentials
import Glibc
import HeadroomHistory
import HeadroomWatch

/// The past of the account: a chart, what it came to, and the events; or all of it as JSON.
struct PastReport: Sendable {
    private let file: String
    private let hours: Int

    init(_ file: String, hours: Int) {
        self.file = file
        self.hours = hours
    }

    func print(isJSON: Bool) async throws {
        guard access(file, R_OK) == 0 else {
            throw NoHistory(description: "There is no history at \(file) yet: headroom guard writes it.")
        }
        let now = Date.now.timeIntervalSince1970
        let since = now - Double(hours) * 3600
        let (samples, events) = try await read(since: since)
        let past = Past(hours: hours, samples: samples, events: events, from: since, to: now)
        try Console.emit(past, asJSON: isJSON)
    }

    private func read(since: Double) async throws -> ([GuardSample], [GuardEvent]) {
        do {
            let history = try GuardHistory(reading: file)
            return (try await history.samples(since: since), try await history.events(since: since))
        } catch {
            throw NoHistory(description: "The history \(file) cannot be read: \(error)")
        }
    }

    private struct NoHistory: Error, CustomStringConvertible {
        var description: String
    }
}

/// What a history holds of the last hours.
private struct Past: Report {
    let hours: Int
    let samples: [GuardSample]
    let events: [GuardEvent]
    let from: Double
    let to: Double

    var json: JSONObject {
        [
            "hours": hours,
            "samples": samples.map { sample -> JSONObject in
                [
                    "time": LogLine.time(sample.time), "level": sample.level.rawValue, "limit": sample.limit,
                    "used": sample.used, "active": sample.active, "sleeping": sample.sleeping, "idle": sample.idle,
                    "error": sample.error, "server_code": sample.serverCode, "is_refused": sample.isRefused,
                    "gap_seconds": sample.gap,
                ]
            },
            "events": events.map { event in
                [
                    "time": LogLine.time(event.time), "kind": event.kind.rawValue, "change": event.change.rawValue,
                    "level": event.level.rawValue, "subject": event.subject, "message": event.message,
                    "advice": event.advice,
                ]
            },
        ]
    }

    var lines: [String] {
        guard !samples.isEmpty else { return ["No samples in the last \(counted(hours, "hour"))."] }
        let known = samples.compactMap(\.used)
        let refused = samples.count(where: \.isRefused)
        let unseen = samples.count { $0.error != nil && !$0.isRefused }
        let gaps = samples.compactMap(\.gap)
        var lines = [
            "the last \(counted(hours, "hour")): \(counted(samples.count, "sample")), most in use \(known.max() ?? 0) of "
                + "\(samples.last { $0.limit != nil }?.limit.map(String.init) ?? "?"), refused \(refused), not seen \(unseen), "
                + counted(gaps.count, "gap"),
            "",
        ]
        lines += PastChart(samples, from: from, to: to).lines
        guard !events.isEmpty else { return lines }
        lines.append("")
        let shown = events.suffix(50)
        if shown.count < events.count { lines.append("(the last \(shown.count) of \(events.count) events)") }
        lines += table(
            shown.map { event in
                [
                    String(LogLine.time(event.time).prefix(19)) + "Z", event.kind.rawValue, event.change.rawValue,
                    printable(event.message),
                ]
            },
            indent: ""
        )
        return lines
    }
}
