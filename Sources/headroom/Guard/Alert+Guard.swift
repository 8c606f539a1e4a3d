import Alerting
import HeadroomWatch

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
