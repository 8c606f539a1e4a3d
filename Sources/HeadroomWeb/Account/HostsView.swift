import CommandSupport
import Headroom
import HeadroomJobs
import Reporting

/// The hosts that share the account, and those whose workers have jobs: what each has, and whether it is still there.
struct HostsView: Sendable {
    /// A host with a share of the account.
    struct Host: Sendable {
        var name: String
        var identity: String
        var share: String
        var inUse: String
        var waiting: String
        var wrote: String
        var clock: String
        var state: String
        /// What the row looks like: `warn` for a host that somebody should look at.
        var mark: String?
    }

    /// A host whose workers have jobs.
    struct Worker: Sendable {
        var name: String
        var jobs: String
        var commit: String
        var state: String
        var mark: String?
    }

    /// Whether there is anything to show: one host alone has nothing to share.
    var isShown: Bool
    var summary: String
    var hosts: [Host] = []
    var hasHosts: Bool
    var workers: [Worker] = []
    var hasWorkers: Bool

    init(_ picture: AccountPicture, settings: DatabaseSettings) {
        self.init(picture.view.hosts, number: settings.hosts, queue: picture.queue)
    }

    /// Creates a view.
    ///
    /// - Parameters:
    ///   - report: The hosts' book; `nil` when it could not be read, or there is none.
    ///   - number: How many hosts the settings name; `nil` for one alone.
    ///   - queue: How the queue does; `nil` when that is not known.
    init(_ report: HostsReport?, number: Int?, queue: QueueHealth?) {
        hosts = (report?.hosts ?? []).map(Self.host)
        hasHosts = !hosts.isEmpty
        let working = queue?.numbers.hosts ?? []
        // One host that works its own jobs alone is no news.
        workers = number != nil || working.count > 1 ? working.map(Self.worker) : []
        hasWorkers = !workers.isEmpty
        isShown = number != nil || hasHosts || hasWorkers
        if let report, hasHosts {
            let shares = report.hosts.reduce(0) { $0 + $1.share }
            let silent = report.hosts.count(where: \.isSilent)
            let wrong = report.hosts.count(where: \.isClockWrong)
            let missing = max(0, (number ?? 0) - report.hosts.count)
            summary =
                ([
                    "\(counted(report.hosts.count, "host")) with \(counted(shares, "connection")) between them",
                    silent > 0 ? "\(silent) silent" : nil,
                    wrong > 0 ? "\(counted(wrong, "clock")) off" : nil,
                    missing > 0 ? "\(counted(missing, "more host")) in the settings without a share" : nil,
                ] as [String?])
                .compactMap(\.self).joined(separator: "; ") + "."
        } else if number != nil {
            summary =
                report == nil
                ? "Which host has how much is not known: the database was not asked, or has no row for this account."
                : "No host has a share at the moment."
        } else {
            summary = ""
        }
    }

    private static func host(_ host: HostsReport.Host) -> Host {
        let silent = host.isSilent ? "silent: its share goes to others" : nil
        let clock = host.isClockWrong ? "its clock is off" : nil
        let words = [silent, clock].compactMap(\.self)
        return Host(
            name: printable(host.name),
            identity: printable(host.identity),
            share: grouped(host.share),
            inUse: grouped(host.inUse),
            waiting: grouped(max(0, host.wanted - host.inUse)),
            wrote: "\(ClockText.length(max(.zero, host.silence))) ago",
            clock: "\(host.clockError < .zero ? "" : "+")\(fixed(host.clockError.seconds, 1)) s",
            state: words.isEmpty ? "well" : words.joined(separator: "; "),
            mark: words.isEmpty ? nil : "warn"
        )
    }

    private static func worker(_ host: QueueHealth.Host) -> Worker {
        Worker(
            name: printable(host.name),
            jobs: grouped(host.jobs),
            commit: "\(ClockText.length(max(.zero, host.silence))) ago",
            state: host.expired > 0 ? "\(grouped(host.expired)) to be taken over by others" : "at work",
            mark: host.expired > 0 ? "warn" : nil
        )
    }
}
