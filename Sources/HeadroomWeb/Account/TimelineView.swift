import CommandSupport
import HeadroomWatch

/// The timeline as the page shows it.
struct TimelineView: Sendable {
    struct Choice: Sendable {
        var name: String
        var label: String
        var isCurrent: Bool
    }

    struct Mark: Sendable {
        var x: String
        var text: String
    }

    struct Stretch: Sendable {
        var x: String
        var width: String
    }

    struct Event: Sendable {
        var time: String
        var message: String
    }

    var range: String
    var seconds: String
    var ranges: [Choice]
    var summary: String
    var source: String
    var line: String
    var area: String
    var refusals: [Mark]
    var kills: [Mark]
    var unseen: [Stretch]
    var labels: [String]
    var hasEvents: Bool
    var eventCount: String
    var events: [Event]

    /// The most events that are listed, the newest.
    private static let mostEvents = 50

    init(
        _ past: (samples: [GuardSample], events: [GuardEvent], isOwn: Bool),
        _ range: Timeline.Range,
        now: Double
    ) {
        let from = now - range.seconds
        let timeline = Timeline(past.samples, past.events, from: from, to: now)
        self.range = range.rawValue
        seconds = range == .hour ? "10" : "60"
        ranges = Timeline.Range.allCases.map {
            Choice(
                name: $0.rawValue,
                label: $0.rawValue.prefix(1).uppercased() + $0.rawValue.dropFirst(),
                isCurrent: $0 == range
            )
        }
        line = timeline.line
        area = timeline.area
        refusals = timeline.refusals.map { Mark(x: "\($0.x)", text: $0.text) }
        kills = timeline.kills.map { Mark(x: "\($0.x)", text: $0.text) }
        unseen = timeline.unseen.map { Stretch(x: "\($0.lowerBound)", width: "\($0.upperBound - $0.lowerBound)") }
        let format: ClockText.Format =
            switch range {
            case .hour, .day: .minutes
            case .week: .day
            }
        labels = (0...4).map { ClockText.text(from + range.seconds * Double($0) / 4, format) }
        if let peak = timeline.peak {
            let limit = peak.limit.map { " of \(grouped($0))" } ?? ""
            let time = ClockText.text(peak.time, range == .week ? .weekday : .minutes)
            summary = "In the last \(range.rawValue) at most \(grouped(peak.used))\(limit) in use, at \(time)"
            summary +=
                timeline.refusedLooks > 0 ? "; \(counted(timeline.refusedLooks, "look")) refused" : "; never refused"
            summary += timeline.killCount > 0 ? "; \(counted(timeline.killCount, "session")) ended." : "."
        } else {
            summary = "Nothing was seen in the last \(range.rawValue)."
        }
        source = past.isOwn ? "Seen by this dashboard only; headroom guard keeps a history of days." : ""
        events = past.events.suffix(Self.mostEvents).reversed()
            .map { Event(time: ClockText.text($0.time, .weekday), message: printable($0.message)) }
        hasEvents = !events.isEmpty
        eventCount = grouped(past.events.count)
    }
}
