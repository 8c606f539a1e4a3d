import CommandSupport
import Headroom

/// The hosts that share an account, as text.
struct HostsText {
    let report: HostsReport

    init(_ report: HostsReport) { self.report = report }

    var lines: [String] {
        let shares = report.hosts.reduce(0) { $0 + $1.share }
        let rows = report.hosts.map { host in
            [
                host.name, host.identity, "\(host.share)", "\(host.inUse)", "\(host.wanted)",
                "\(fixed(host.silence.seconds, 1)) s", "\(fixed(host.clockError.seconds, 1)) s",
            ]
        }
        var lines = ["\(counted(report.hosts.count, "host")) with \(counted(shares, "connection")) between them"]
        if !rows.isEmpty {
            lines += table([["host", "identity", "has", "uses", "wants", "wrote", "clock off by"]] + rows)
        }
        return lines + warnings
    }

    /// What somebody should look at, a line each.
    var warnings: [String] {
        report.hosts.flatMap { host in
            (host.isSilent
                ? [
                    "  warning: \(host.name) has not written for \(fixed(host.silence.seconds, 0)) s: its share goes to others"
                ]
                : [])
                + (host.isClockWrong
                    ? ["  warning: the clock of \(host.name) is off by \(fixed(host.clockError.seconds, 1)) s"] : [])
        }
    }
}

/// The hosts that share an account, as JSON.
struct HostsJSON: Encodable {
    struct Host: Encodable {
        var name: String
        var identity: String
        var share: Int
        var inUse: Int
        var wanted: Int
        var secondsLeft: Double
        var silentSeconds: Double
        var clockErrorSeconds: Double
    }

    var hosts: [Host]

    init(_ report: HostsReport) {
        hosts = report.hosts.map { host in
            Host(
                name: host.name,
                identity: host.identity,
                share: host.share,
                inUse: host.inUse,
                wanted: host.wanted,
                secondsLeft: host.left.seconds,
                silentSeconds: host.silence.seconds,
                clockErrorSeconds: host.clockError.seconds
            )
        }
    }
}
