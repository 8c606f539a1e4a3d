import FoundationEssentials
import Glibc
import Headroom
import HeadroomWatch
import TestSupport
import Testing

@testable import HeadroomSandbox

/// A HAProxy with the configuration of `headroom deploy haproxy` in front of a Galera cluster.
@Suite(
    .enabled(if: ClusterRun.isWanted && access("/usr/sbin/haproxy", X_OK) == 0, "scripts/setup --front-door"),
    .serialized
)
struct GaleraFrontDoorTests {
    private static let files = 20
    private static let rows = 11_000

    @Test
    func `imports through a front door go on, and lose nothing, when the node behind it is killed or falls silent`()
        async throws
    {
        if let obstacle = GaleraCluster.obstacle(scripts: ClusterRun.scripts) {
            Issue.record("Not run here: \(obstacle).")
            return
        }
        let folder = TemporaryFolder()
        try await GaleraCluster.with(SandboxOptions(), scripts: ClusterRun.scripts) { cluster in
            let door = "127.0.0.1:\(try Readiness.freePort())"
            let statistics = "\(folder.path)/stats.sock"
            let process = try await proxy(cluster, door, statistics, folder)
            let drill = GaleraDrill(cluster, through: door, folder.path)
            do {
                _ = try await drill.query("CREATE USER headroom_check@'127.0.0.1'")
                #expect(try await eventually { (try? await FrontDoorReport.ask(statistics)) != nil })
                try await drill.migrate()
                try await drill.queue(files: Self.files, rows: Self.rows)
                try await drill.startWorkers(2)
                let outages = try await outages(cluster, drill)
                try await drill.stopWorkers()
                #expect(outages.killed > 0 && outages.silent > 0, "\(outages)")
                // A spare has served while the first was away.
                #expect(outages.rows > 0)
                let wrong = try await drill.wrongJobs(rows: Self.rows)
                #expect(wrong.isEmpty, "\(wrong)")
                for index in cluster.nodes.indices {
                    try #require(try await eventually(within: .seconds(120)) { await cluster.isSynced(index) })
                    let found = try await drill.readings(index)
                    #expect(found == [Self.files * Self.rows, Self.files * Self.rows, Self.files], "node \(index)")
                }
                print("galera: through a front door, \(outages)")
            } catch {
                await drill.killWorkers()
                process.signal(SIGTERM)
                _ = try await process.ended()
                throw error
            }
            process.signal(SIGTERM)
            _ = try await process.ended()
        }
    }

    /// Ends or stops the first node, which serves all while it is there, until no job is open.
    private func outages(
        _ cluster: GaleraCluster,
        _ drill: GaleraDrill
    ) async throws -> (killed: Int, silent: Int, rows: Int) {
        var (killed, silent, rows) = (0, 0, 0)
        let end = ContinuousClock.now + .seconds(300)
        while try await drill.open() > 0 {
            try #require(ContinuousClock.now < end, "there are still jobs that are not completed")
            try await Task.sleep(for: .seconds(2))
            if killed <= silent {
                killed += 1
                cluster.signal(SIGKILL, 0)
                try await Task.sleep(for: .seconds(2))
                let before = try await drill.imported()
                try await Task.sleep(for: .seconds(8))
                rows += try await drill.imported() - before
                try await cluster.start(0)
            } else {
                // Silent for longer than HAProxy believes in it: its clients are hung up, and come back on another node.
                silent += 1
                cluster.signal(SIGSTOP, 0)
                try await Task.sleep(for: .seconds(12))
                cluster.signal(SIGCONT, 0)
            }
        }
        return (killed, silent, rows)
    }

    private func proxy(
        _ cluster: GaleraCluster,
        _ door: String,
        _ statistics: String,
        _ folder: TemporaryFolder
    ) async throws -> HeadroomProcess {
        let written = try await HeadroomProgram.run(
            ["deploy", "haproxy", "--places", "6", "--listen", door, "--statistics", statistics],
            environment: cluster.environment.merging(["HEADROOM_STATE_DIR": "\(folder.path)/state"]) { $1 }
        )
        try #require(written.status == 0, "\(written.errors)")
        #expect(written.errors.contains("CREATE USER 'headroom_check'"))
        let file = folder.write(written.output, to: "haproxy.cfg")
        return try HeadroomProcess(
            ["-db", "-f", file],
            environment: [:],
            output: "\(folder.path)/haproxy.log",
            through: ["/bin/sh", "-c", #"exec /usr/sbin/haproxy "$@""#]
        )
    }
}
