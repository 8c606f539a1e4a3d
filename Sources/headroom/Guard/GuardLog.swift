import Alerting
import CommandSupport
import Glibc
import HeadroomWatch

/// The guard's log: one line for each event on standard error, as words with values (logfmt).
enum GuardLog {
    /// Whether standard error goes to systemd's journal, which takes the weight of a line from its first characters.
    private static let isJournal = Variables.value("JOURNAL_STREAM") != nil

    /// Logs an event.
    static func write(_ event: GuardEvent, account: String) {
        let weight: Weight
        switch event.change {
        case .noted: weight = event.kind == .kill ? .notice : .info
        case .recovered: weight = .notice
        case .raised: weight = event.level.exitCode >= 2 ? .error : .warning
        }
        write(
            weight,
            event.message,
            [
                ("alert", event.kind.rawValue), ("change", event.change.rawValue),
                ("account_level", event.level.rawValue), ("account", account),
                ("subject", event.subject.isEmpty ? nil : event.subject),
                ("next", event.advice.isEmpty ? nil : event.advice),
            ],
            at: event.time
        )
    }

    /// Logs a look.
    static func write(_ sample: GuardSample) {
        write(
            .info,
            "look",
            [
                ("account_level", sample.level.rawValue), ("used", sample.used.map(String.init)),
                ("limit", sample.limit.map(String.init)), ("idle", sample.idle.map(String.init)),
                ("code", sample.error), ("server_code", sample.serverCode.map(String.init)),
            ],
            at: sample.time
        )
    }

    /// How much a line weighs; the numbers are those of syslog(3).
    enum Weight: Int {
        case error = 3
        case warning = 4
        case notice = 5
        case info = 6

        var word: String {
            switch self {
            case .error: "error"
            case .warning: "warn"
            case .notice, .info: "info"
            }
        }
    }

    /// Logs a line.
    static func write(_ weight: Weight, _ message: String, _ words: [(String, String?)] = [], at time: Double? = nil) {
        let line = LogLine.text([("time", LogLine.time(time)), ("level", weight.word), ("msg", message)] + words)
        Console.error(isJournal ? "<\(weight.rawValue)>\(line)" : line)
    }
}

extension Alert {
    /// Tells of something that the guard has seen.
    init(event: GuardEvent, sample: GuardSample, account: String) {
        self.init(
            title: "[headroom] \(event.level.rawValue) \(account): \(event.kind.rawValue) \(event.change.rawValue)",
            message: event.message,
            advice: event.advice,
            facts: [
                ("LEVEL", event.level.rawValue), ("ALERT", event.kind.rawValue), ("CHANGE", event.change.rawValue),
                ("SUBJECT", event.subject), ("MESSAGE", event.message), ("ADVICE", event.advice),
                ("USED", sample.used.map(String.init) ?? ""), ("LIMIT", sample.limit.map(String.init) ?? ""),
                ("ACCOUNT", account), ("TIME", LogLine.time(event.time)),
            ]
        )
    }
}
