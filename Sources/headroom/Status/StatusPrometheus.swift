import CommandSupport
import Headroom
import HeadroomWatch

/// A status report in Prometheus' text format (0.0.4).
struct StatusPrometheus {
    private let view: StatusView

    init(_ view: StatusView) {
        self.view = view
    }

    var lines: [String] {
        let report = view.report
        var page = Page()
        page.gauge("headroom_up", "Whether the account could be looked at.", report.refusal == nil ? 1 : 0)
        page.gauge("headroom_build_info", "The version of Headroom.", 1, ["version": headroomVersion])
        if let refusal = report.refusal {
            let labels = ["code": "\(refusal.serverCode ?? 0)", "resource": refusal.resource ?? "\(refusal.code)"]
            page.gauge("headroom_connect_refused", "Why the account could not be looked at.", 1, labels)
        } else {
            let name = "headroom_account_connections"
            let inTransaction = report.idleInTransaction
            page.head(
                name,
                "Connections of the account, without the one that looks; those in a transaction count as idle where the "
                    + "account lacks the PROCESS privilege."
            )
            page.sample(name, Double(report.active), ["state": "active"])
            page.sample(name, Double(report.sleeping - (inTransaction ?? 0)), ["state": "idle"])
            if let inTransaction { page.sample(name, Double(inTransaction), ["state": "idle_in_transaction"]) }
            page.sample(name, Double(report.dying), ["state": "killed"])
            page.gauge(
                "headroom_account_oldest_idle_seconds",
                "For how long the account's longest idle session has slept.",
                report.oldestIdle?.duration.seconds ?? 0
            )
        }
        if let limit = report.limit.value {
            page.gauge("headroom_account_connections_limit", "The account's limit in force.", Double(limit))
            page.gauge(
                "headroom_account_connections_limit_source_info",
                "Where the limit comes from.",
                1,
                ["source": report.limit.source.rawValue]
            )
        }
        if let percent = report.percent {
            page.gauge("headroom_account_utilization_ratio", "The share of the limit in use.", percent / 100)
        }
        server(&page)
        slots(&page)
        frontDoor(&page)
        return page.lines
    }

    private func server(_ page: inout Page) {
        guard let server = view.report.server else { return }
        for (name, help, value) in [
            ("connections", "Connections of all accounts.", server.connected),
            ("connections_limit", "The server's limit for all accounts together.", server.limit),
            ("connections_peak", "The most connections since the server was started.", server.peak),
        ] {
            if let value { page.gauge("headroom_server_\(name)", help, Double(value)) }
        }
    }

    private func frontDoor(_ page: inout Page) {
        guard case .success(let report) = view.frontDoor else { return }
        page.gauge("headroom_front_door_connections", "Connections through the front door.", Double(report.used))
        page.gauge(
            "headroom_front_door_max_connections",
            "The front door's share of the limit.",
            Double(report.places ?? view.settings.frontDoor)
        )
        page.gauge("headroom_front_door_waiting", "Clients that wait at the front door.", Double(report.waiting))
    }

    private func slots(_ page: inout Page) {
        guard let slots = view.slots else { return }
        let name = "headroom_pool_connections"
        page.head(name, "Slots of the account on this host, by what goes on in them.")
        for state in ["opening", "open", "idle", "draining", "program"] {
            page.sample(
                name,
                Double(slots.held.count { $0.holder.state.words == state }),
                ["pool": "host", "state": state]
            )
        }
        let pool = ["pool": "host"]
        page.gauge("headroom_pool_max_connections", "The budget of this host.", Double(slots.budget), pool)
        page.gauge(
            "headroom_pool_pending_requests",
            "Tasks of this host that wait for a slot.",
            Double(slots.waiting.reduce(0) { $0 + $1.tasks }),
            pool
        )
        page.gauge(
            "headroom_slots_held_too_long",
            "Slots that are held for longer than their programs expected.",
            Double(view.heldTooLong.count)
        )
        page.gauge("headroom_locks_held", "Locks by name that programs of this host hold.", Double(view.locks.count))
    }

    /// A page of metrics.
    private struct Page {
        var lines: [String] = []

        mutating func head(_ name: String, _ help: String) {
            lines += ["# HELP \(name) \(help)", "# TYPE \(name) gauge"]
        }

        mutating func sample(_ name: String, _ value: Double, _ labels: KeyValuePairs<String, String>) {
            sample(name, value, labels.map { ($0.key, $0.value) })
        }

        mutating func sample(_ name: String, _ value: Double, _ labels: [(String, String)]) {
            let text = labels.map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
            let number = value == value.rounded() ? "\(Int(value))" : "\(value)"
            lines.append("\(name)\(text.isEmpty ? "" : "{\(text)}") \(number)")
        }

        mutating func gauge(_ name: String, _ help: String, _ value: Double, _ labels: [String: String] = [:]) {
            head(name, help)
            sample(name, value, labels.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }

        private static func escaped(_ value: String) -> String {
            var text = ""
            for character in printable(value) {
                if character == "\"" || character == "\\" { text.append("\\") }
                text.append(character)
            }
            return text
        }
    }
}
