import CommandSupport
import HeadroomWatch
import Reporting

/// The account, as the API says it: the object of `headroom status --json`, with when it was seen.
struct AccountJSON: Encodable {
    private struct Seen: Encodable {
        var takenAt: String
        @Nullable var lastSuccessAt: String?
        @Nullable var fullInSeconds: Double?
    }

    private let status: StatusJSON
    private let seen: Seen

    init(_ picture: AccountPicture) {
        status = StatusJSON(picture.view)
        seen = Seen(
            takenAt: LogLine.time(picture.takenAt),
            lastSuccessAt: picture.lastSeen.map { LogLine.time($0.at) },
            fullInSeconds: picture.minutesUntilFull.map { ($0 * 60).rounded() }
        )
    }

    func encode(to encoder: any Encoder) throws {
        try status.encode(to: encoder)
        try seen.encode(to: encoder)
    }
}

/// The past.
struct HistoryJSON: Encodable {
    struct Sample: Encodable {
        var time: String
        var level: String
        @Nullable var used: Int?
        @Nullable var limit: Int?
        var refused: Bool
    }

    struct Event: Encodable {
        var time: String
        var kind: String
        var change: String
        var level: String
        var message: String
    }

    var range: String
    var source: String
    var samples: [Sample]
    var events: [Event]

    /// The most samples: where there are more, some are left out at even distances.
    private static let most = 2000

    init(_ range: Timeline.Range, _ past: (samples: [GuardSample], events: [GuardEvent], isOwn: Bool)) {
        self.range = range.rawValue
        source = past.isOwn ? "dashboard" : "guard"
        let step = max(1, (past.samples.count + Self.most - 1) / Self.most)
        samples = stride(from: 0, to: past.samples.count, by: step)
            .map { past.samples[$0] }
            .map {
                Sample(
                    time: LogLine.time($0.time),
                    level: $0.level.rawValue,
                    used: $0.used,
                    limit: $0.limit,
                    refused: $0.isRefused
                )
            }
        events = past.events.suffix(Self.most)
            .map {
                Event(
                    time: LogLine.time($0.time),
                    kind: $0.kind.rawValue,
                    change: $0.change.rawValue,
                    level: $0.level.rawValue,
                    message: $0.message
                )
            }
    }
}

/// A rejected row.
struct RejectJSON: Encodable {
    var line: Int
    var content: String
    var reason: String
}

/// The rejected rows of a job.
struct RejectsJSON: Encodable {
    var total: Int
    var rows: [RejectJSON]
}
