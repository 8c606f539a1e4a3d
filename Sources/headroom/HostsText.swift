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
