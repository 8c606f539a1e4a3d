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
    private static let files = 25
    private static let rounds = 4
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
            let drill = GaleraDrill(cluster, in: folder.path, through: door)
            do {
                _ = try await drill.query("CREATE USER headroom_check@'127.0.0.1'")
                #expect(try await eventually { (try? await FrontDoorReport.ask(statistics)) != nil })
                try await drill.migrate()
                try await drill.startWorkers(2)
                var rows: [Int] = []
                for round in 0..<Self.rounds { rows.append(try await outage(round, cluster, drill)) }
                let isDone = try await eventually(within: .seconds(300)) {
                    try await Task.sleep(for: .seconds(1))
                    return try await drill.open() == 0
                }
                #expect(isDone)
                try await drill.stopWorkers()
                // Another node has served while the first was away, each time.
                #expect(rows.allSatisfy { $0 > 0 }, "\(rows)")
                let files = Self.files * Self.rounds
                let wrong = try await drill.wrongJobs(rows: Self.rows)
                #expect(wrong.isEmpty, "\(wrong)")
                for index in cluster.nodes.indices {
                    let found = try await drill.readings(index)
                    #expect(found == [files * Self.rows, files * Self.rows, files, 0], "node \(index)")
                    print("galera: through a front door, node \(index) has \(found)")
                }
                print("galera: imported while the node behind the door was killed or silent: \(rows) rows")
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

    /// Ends or stops the first node, which serves all while it is there, and returns how many rows others took meanwhile.
    private func outage(_ round: Int, _ cluster: GaleraCluster, _ drill: GaleraDrill) async throws -> Int {
        try await drill.queue(files: Self.files, rows: Self.rows)
        try await Task.sleep(for: .seconds(1))
        // One that is silent is believed in for some seconds; then its clients are hung up, and come back on another node.
        let isKilled = round % 2 == 0
        cluster.signal(isKilled ? SIGKILL : SIGSTOP, 0)
        try await Task.sleep(for: .seconds(2))
        let before = try await drill.imported()
        try await Task.sleep(for: .seconds(12))
        let rows = try await drill.imported() - before
        if isKilled { try await cluster.start(0) } else { cluster.signal(SIGCONT, 0) }
        return rows
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
