import CommandSupport
import Headroom
import HeadroomWatch

/// What is known of an account, as metrics.
package struct AccountMetrics {
    private let view: StatusView

    /// The page of a look at an account.
    package static func page(_ view: StatusView) -> MetricsPage {
        var page = MetricsPage()
        AccountMetrics(view: view).add(to: &page)
        return page
    }

    private func add(to page: inout MetricsPage) {
        let report = view.report
        page.gauge("headroom_up", "Whether the account could be looked at.", report.refusal == nil ? 1 : 0)
        page.gauge("headroom_build_info", "The version of Headroom.", 1, ["version": headroomVersion])
        if let refusal = report.refusal {
            page.gauge(
                "headroom_connect_refused",
                "Why the account could not be looked at.",
                1,
                ["code": "\(refusal.serverCode ?? 0)", "resource": refusal.resource ?? "\(refusal.code)"]
            )
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
        hosts(&page)
    }

    /// Numbers only: the page of metrics names no machine.
    private func hosts(_ page: inout MetricsPage) {
        guard let hosts = view.hosts?.hosts else { return }
        page.head("headroom_hosts", "Hosts that share the account, by whether they still write.")
        page.sample("headroom_hosts", Double(hosts.count { !$0.isSilent }), ["state": "present"])
        page.sample("headroom_hosts", Double(hosts.count(where: \.isSilent)), ["state": "silent"])
        page.gauge(
            "headroom_hosts_largest_clock_error_seconds",
            "How far the clock of a host is off the database's at the most.",
            hosts.map { abs($0.clockError.seconds) }.max() ?? 0
        )
        page.gauge(
            "headroom_hosts_waiting",
            "Connections that the hosts would use beside those that they have.",
            Double(hosts.reduce(0) { $0 + max(0, $1.wanted - $1.inUse) })
        )
    }

    private func server(_ page: inout MetricsPage) {
        guard let server = view.report.server else { return }
        for (name, help, value) in [
            ("connections", "Connections of all accounts.", server.connected),
            ("connections_limit", "The server's limit for all accounts together.", server.limit),
            ("connections_peak", "The most connections since the server was started.", server.peak),
        ] {
            if let value { page.gauge("headroom_server_\(name)", help, Double(value)) }
        }
    }

    private func frontDoor(_ page: inout MetricsPage) {
        guard case .success(let report) = view.frontDoor else { return }
        page.gauge("headroom_front_door_connections", "Connections through the front door.", Double(report.used))
        page.gauge(
            "headroom_front_door_max_connections",
            "The front door's share of the limit.",
            Double(report.places ?? view.settings.frontDoor)
        )
        page.gauge("headroom_front_door_waiting", "Clients that wait at the front door.", Double(report.waiting))
    }

    private func slots(_ page: inout MetricsPage) {
        guard let slots = view.slots else { return }
        let name = "headroom_pool_connections"
        page.head(name, "Slots of the account on this host, by what goes on in them.")
        for state in ["opening", "open", "idle", "draining", "program", "unknown"] {
            page.sample(
                name,
                Double(slots.held.count { $0.holder.state.words == state }),
                ["pool": "host", "state": state]
            )
        }
        let pool: KeyValuePairs = ["pool": "host"]
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
}
