import HeadroomWatch

/// An event with what its reader wants to know beside it.
struct Alert: Sendable {
    var event: GuardEvent
    var sample: GuardSample
    var account: String

    /// The facts by their names, in a fixed order: a command's environment, and a webhook's keys in lower case.
    var facts: [(name: String, value: String)] {
        [
            ("LEVEL", event.level.rawValue), ("ALERT", event.kind.rawValue), ("CHANGE", event.change.rawValue),
            ("SUBJECT", event.subject), ("MESSAGE", event.message), ("ADVICE", event.advice),
            ("USED", sample.used.map(String.init) ?? ""), ("LIMIT", sample.limit.map(String.init) ?? ""),
            ("ACCOUNT", account), ("TIME", LogLine.time(event.time)),
        ]
    }

    /// The alert in one line.
    var title: String {
        "[headroom] \(event.level.rawValue) \(account): \(event.kind.rawValue) \(event.change.rawValue)"
    }
}
