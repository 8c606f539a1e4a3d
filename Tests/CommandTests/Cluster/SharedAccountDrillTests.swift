import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import HeadroomWatch
import TestSupport
import Testing

/// Three hosts of four processes each on one account, joining, leaving and dying, with nothing held back.
///
/// A host is a state folder of its own: that is all that its processes share.
@Suite(.sandbox(), .enabled(if: ClusterRun.isWanted)) struct SharedAccountDrillTests {
    /// A host's processes, each with the file to which it prints what it found.
    private struct Host {
        var name: String
        var processes: [(process: HeadroomProcess, output: String)] = []
        var lives = 0
        var served = 0
    }

    @Test func `hosts that join, leave and die are never refused, and each is served`() async throws {
        var hosts = ["one", "two", "three"].map { Host(name: $0) }
        let base = try SuiteServer.sandbox.environment
        let folder = try #require(base["HEADROOM_STATE_DIR"])
        var total = PressureDrill.Result()
        var (deaths, leavings) = (0, 0)

        func environment(_ host: Host) -> [String: String] {
            base.merging([
                "DB_USERNAME": "ten1", "DB_PASSWORD": "sandbox", "HEADROOM_RESERVE": "0", "HEADROOM_HOSTS": "3",
                "HEADROOM_STATE_DIR": "\(folder)/\(host.name)", "HEADROOM_WAIT_TIMEOUT": "60",
            ]) { $1 }
        }
        func join(_ host: inout Host, for seconds: Int) throws {
            host.lives += 1
            try FileManager.default.createDirectory(atPath: "\(folder)/out", withIntermediateDirectories: true)
            host.processes = try (0..<4)
                .map { number in
                    let output = "\(folder)/out/\(host.name)-\(host.lives)-\(number)"
                    let process = try HeadroomProcess(
                        ["verify", "--pressure", "--worker", "--tasks", "4", "--seconds", "\(seconds)", "--json"],
                        environment: environment(host),
                        output: output
                    )
                    return (process, output)
                }
        }
        /// Waits for the processes of a host that end by themselves, and adds up what they found.
        func leave(_ host: inout Host) async throws {
            for (process, output) in host.processes {
                let status = try await process.ended()
                let text = try String(contentsOfFile: output, encoding: .utf8)
                #expect(status == 0, "\(host.name): \(text)")
                let line = try #require(text.split(separator: "\n").last { $0.hasPrefix("{") }, "\(text)")
                let result = try JSONDecoder().decode(PressureDrill.Result.self, from: Data(line.utf8))
                host.served += result.completed
                total.add(result)
            }
            host.processes = []
        }

        let end = ContinuousClock.now + ClusterRun.duration
        for index in hosts.indices { try join(&hosts[index], for: 5 + index * 4) }
        while ContinuousClock.now < end {
            try await Task.sleep(for: .milliseconds(Int.random(in: 500...4_000)))
            let index = Int.random(in: hosts.indices)
            if Int.random(in: 0..<3) == 0 {
                deaths += 1
                for (process, _) in hosts[index].processes { process.signal(SIGKILL) }
                for (process, _) in hosts[index].processes { _ = try await process.ended() }
                hosts[index].processes = []
            } else {
                leavings += 1
                try await leave(&hosts[index])
            }
            try join(&hosts[index], for: Int.random(in: 3...12))
        }
        for index in hosts.indices { try await leave(&hosts[index]) }
        print(
            """
            shared account: \(ClusterRun.duration), \(deaths) deaths, \(leavings) leavings, \(total.completed) cycles, \
            \(total.refused) refused, \(total.refusedAfterDeath) refused after a death, \(total.errors) errors, \
            longest wait \(total.longestWaitSeconds) s; by host \(hosts.map(\.served))
            """
        )
        #expect(total.refused == 0)
        #expect(total.errors == 0, "\(total.firstError ?? "")")
        for host in hosts { #expect(host.served > 0, "\(host.name) was never served") }
    }
}
