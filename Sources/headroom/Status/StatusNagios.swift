import CommandSupport
import Headroom
import HeadroomWatch
import Reporting

/// A status report as one line of a monitoring plugin, with performance data.
struct StatusNagios {
    private let view: StatusView

    init(_ view: StatusView) {
        self.view = view
    }

    /// The line; its level's word is ours, and the exit code is what the monitor goes by.
    var line: String {
        let report = view.report
        let used = report.used.map(String.init) ?? "?"
        let limit = report.limit.value.map(String.init) ?? "?"
        var text = "HEADROOM \(report.level.rawValue) - \(used)/\(limit)"
        if let percent = report.percent { text += " (\(fixed(percent, 1))%)" }
        text += " used"
        if let refusal = report.refusal {
            text += ", \(refusal.message)"
        } else {
            text += ", \(report.idle) idle for over \(Int(clamped: report.maxIdle.seconds)) s"
        }
        return Escaping.nagios(printable(text)) + " | " + data.joined(separator: " ")
    }

    private var data: [String] {
        let report = view.report
        var data: [String] = []
        if let used = report.used {
            // "Over 6" alerts above 6: of whole connections that is over 60 % of 10, or of 11.
            let limits = report.limit.value.map { "\($0 * 60 / 100);\($0 * 80 / 100);0;\($0)" } ?? ";;0;"
            data.append("'connections'=\(used);\(limits)")
        }
        if report.refusal == nil {
            data += ["'active'=\(report.active)", "'sleeping'=\(report.sleeping)", "'idle'=\(report.idle)"]
        }
        if let oldest = report.oldestIdle { data.append("'oldest_idle'=\(fixed(oldest.duration.seconds, 1))s") }
        if let slots = view.slots {
            data.append("'slots_held'=\(slots.held.count);;;0;\(slots.budget)")
            data.append("'waiting'=\(slots.waiting.reduce(0) { $0 + $1.tasks })")
            data.append("'held_too_long'=\(view.heldTooLong.count)")
        }
        return data
    }
}
