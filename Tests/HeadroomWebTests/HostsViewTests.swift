import FoundationEssentials
import HTTPTypes
import HeadroomSandbox
import Hummingbird
import HummingbirdTesting
import Logging
import TestSupport
import Testing

@testable import Headroom
@testable import HeadroomJobs
@testable import HeadroomWeb

/// The hosts on the account's page: who has what, who is silent, whose clock is off.
@Suite(.sandbox()) struct HostsViewTests {
    private static let bearer: HTTPFields = [.authorization: "Bearer 0123456789abcdef0123456789abcdef"]

    private static let gone = "0123456789abcdef"

    private func host(_ name: String, share: Int = 3, wanted: Int = 5, left: Int = 20, clock: Int = 0)
        -> HostsReport.Host
    {
        var entry = ShareTable.Entry(host: "\(name)-1")
        entry.name = name
        entry.share = share
        entry.inUse = min(share, wanted)
        entry.wanted = wanted
        entry.expires = 1_000_000 * Int64(left)
        entry.clockError = Int64(clock) * 1000
        return HostsReport.Host(entry, now: 0, .usual)
    }

    @Test func `a silent host and a wrong clock are marked, and the others are not`() {
        let report = HostsReport(hosts: [
            host("well"), host("silent", left: -70), host("late", clock: -4), host("both", left: -1, clock: 3),
        ])
        let view = HostsView(report, number: 5, queue: nil)
        #expect(view.hosts.map(\.mark) == [nil, "warn", "warn", "warn"])
        #expect(view.hosts[0].waiting == "2" && view.hosts[0].share == "3" && view.hosts[0].wrote == "10 s ago")
        #expect(view.hosts[1].state.contains("silent") && view.hosts[1].wrote == "100 s ago")
        #expect(view.hosts[2].state == "its clock is off" && view.hosts[2].clock == "-4.0 s")
        #expect(view.hosts[3].state.contains("silent") && view.hosts[3].clock == "+3.0 s")
        #expect(
            view.summary
                == "4 hosts with 12 connections between them; 2 silent; 2 clocks off; 1 more host in the settings without a share."
        )
    }

    @Test func `one host alone has no table of hosts, and hosts that cannot be asked are said to be unknown`() {
        #expect(!HostsView(nil, number: nil, queue: nil).isShown)
        let unknown = HostsView(nil, number: 3, queue: nil)
        #expect(unknown.isShown && !unknown.hasHosts && unknown.summary.contains("not known"))
    }

    @Test func `whose leases have ended is marked among the hosts with jobs`() {
        var numbers = QueueHealth.Numbers()
        numbers.hosts = [
            QueueHealth.Host(name: "one", silence: .seconds(3), jobIDs: [1, 2]),
            QueueHealth.Host(name: "two", silence: .seconds(90), jobIDs: [3, 4, 5, 6], expiredIDs: [4, 5, 6]),
        ]
        let view = HostsView(nil, number: nil, queue: QueueHealth(numbers))
        #expect(view.isShown && view.workers.map(\.mark) == [nil, "warn"])
        #expect(view.workers[1].state == "3 to be taken over by others" && view.workers[1].commit == "90 s ago")
        numbers.hosts.removeLast()
        #expect(!HostsView(nil, number: nil, queue: QueueHealth(numbers)).isShown)
    }

    @Test func `the page, the API and the metrics show two hosts, and a third that has fallen silent`() async throws {
        let sandbox = try SuiteServer.sandbox
        let base = [
            "DB_SOCKET": sandbox.socket, "DB_USERNAME": "ten8", "DB_PASSWORD": "sandbox",
            "DB_DATABASE": sandbox.options.database, "HEADROOM_HOSTS": "3", "HEADROOM_RESERVE": "1",
        ]
        let folder = sandbox.environment["HEADROOM_STATE_DIR"] ?? ""
        func loaded(_ host: String) throws -> LoadedSettings {
            try SettingsSources(
                overrides: base.merging(["HEADROOM_STATE_DIR": "\(folder)/hosts-\(host)"]) { $1 },
                environment: [:]
            )
            .load(programName: "headroom serve")
        }
        let (one, two) = (Database(try loaded("one").database), Database(try loaded("two").database))
        var options = WebOptions()
        options.interval = .seconds(1)
        let application = try WebServer.application(
            try loaded("one"),
            options,
            Credentials(token: "0123456789abcdef0123456789abcdef"),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.test(.router) { client in
            try await one.withConnection { _ in
                try await two.withConnection { _ in
                    try await eventuallyShown(client)
                }
            }
        }
    }

    private func eventuallyShown(_ client: any TestClientProtocol) async throws {
        var (page, json, metrics) = ("", "", "")
        // The others may take what it had between the two: then it is written down again.
        let isSeen = try await eventually {
            try await addSilent("ten8")
            page = try await text("/", client)
            json = try await text("/api/v1/account", client)
            metrics = try await text("/metrics", client)
            return page.contains("; 1 silent") && json.contains("\"is_silent\":true")
                && metrics.contains("headroom_hosts{state=\"silent\"} 1\n")
        }
        #expect(isSeen, "\(page)")
        #expect(page.contains("3 hosts with ") && page.contains("<td>0123456789abcdef</td>"))
        #expect(page.contains("silent: its share goes to others; its clock is off"))
        #expect(page.split(separator: "<tr class=\"warn\">").count == 2)
        // One row for each of the two that are there.
        #expect(page.split(separator: "<td>well</td>").count == 3)
        #expect(json.contains("\"identity\":\"0123456789abcdef\""))
        #expect(metrics.contains("headroom_hosts{state=\"present\"} 2\n"))
        #expect(metrics.contains("headroom_hosts_largest_clock_error_seconds 7\n"))
        #expect(!metrics.contains("0123456789abcdef"))
    }

    private func text(_ uri: String, _ client: any TestClientProtocol) async throws -> String {
        try await client.execute(uri: uri, method: .get, headers: Self.bearer) { String(buffer: $0.body) }
    }

    /// Writes down a host that was there, and has not been heard of for a minute.
    private func addSilent(_ account: String) async throws {
        try await Database(try SuiteServer.settings(), share: .reserve)
            .withConnection { connection in
                for _ in 0..<100 {
                    let row = try #require(
                        try await connection.query(
                            "SELECT version, hosts FROM headroom_shares WHERE account = \(account + "@%")"
                        )
                        .first(Int.self, String.self)
                    )
                    var book = try #require(ShareTable(text: row.1))
                    if book.entries.contains(where: { $0.host == Self.gone }) { return }
                    guard book.entries.count == 2 else {
                        try await Task.sleep(for: .milliseconds(100))
                        continue
                    }
                    var gone = ShareTable.Entry(host: Self.gone)
                    gone.name = "gone"
                    gone.share = 1
                    gone.budget = 10
                    gone.setAside = 3
                    gone.clockError = 7_000
                    gone.expires = 1
                    book.entries.append(gone)
                    let written = try await connection.query(
                        """
                        UPDATE headroom_shares SET version = version + 1, hosts = \(book.text)
                        WHERE account = \(account + "@%") AND version = \(row.0)
                        """
                    )
                    if written.affectedRows == 1 { return }
                }
                Issue.record("Two hosts have not come to share the account.")
            }
    }
}
