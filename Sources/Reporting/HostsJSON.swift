import CommandSupport
package import Headroom

/// The hosts that share an account, as JSON.
package struct HostsJSON: Encodable {
    package struct Host: Encodable {
        var name: String
        var identity: String
        var share: Int
        var inUse: Int
        var wanted: Int
        var secondsLeft: Double
        var silentSeconds: Double
        var clockErrorSeconds: Double
        var isSilent: Bool
        var isClockWrong: Bool
    }

    var hosts: [Host]

    package init(_ report: HostsReport) {
        hosts = report.hosts.map { host in
            Host(
                name: host.name,
                identity: host.identity,
                share: host.share,
                inUse: host.inUse,
                wanted: host.wanted,
                secondsLeft: host.left.seconds,
                silentSeconds: host.silence.seconds,
                clockErrorSeconds: host.clockError.seconds,
                isSilent: host.isSilent,
                isClockWrong: host.isClockWrong
            )
        }
    }
}
