import FoundationEssentials
import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Imports on a Galera cluster of three nodes, by workers of three hosts, while nodes and workers are killed and stopped.
@Suite(.enabled(if: ClusterRun.isWanted), .serialized) struct GaleraDrillTests {
    private static let files = 50
    private static let rows = 11_000

    @Test func `no reading is lost or doubled and no job is stranded, whatever ends or stops`() async throws {
        if let obstacle = GaleraCluster.obstacle(scripts: ClusterRun.scripts) {
            Issue.record("Not run here: \(obstacle).")
            return
        }
        if let obstacle = await HostNetwork.obstacle() {
            print("galera: each host is a folder of its own on loopback, and nothing is cut off: \(obstacle)")
            return try await run(nil)
        }
        try await HostNetwork.with(hosts: 6) { try await run($0) }
    }

    private func run(_ network: HostNetwork?) async throws {
        let folder = TemporaryFolder()
        try await GaleraCluster.with(SandboxOptions(), scripts: ClusterRun.scripts, network: network) { cluster in
            let drill = GaleraDrill(cluster, in: folder.path, network: network)
            try await drill.migrate()
            do {
                try await drill.startWorkers()
                let end = ContinuousClock.now + ClusterRun.duration
                // A node that came back with less than the others would be made whole again by its next restart.
                repeat { try await wave(drill, cluster, until: end) } while ContinuousClock.now < end
                try await drill.stopWorkers()
            } catch {
                await drill.killWorkers()
                throw error
            }
            let left = try await drill.query("SELECT COUNT(*) FROM headroom_leases").first(Int.self)
            #expect(left == 0)
            print("galera: \(ClusterRun.duration)")
        }
    }

    /// Imports the files while something happens, and then counts on each node.
    private func wave(
        _ drill: GaleraDrill,
        _ cluster: GaleraCluster,
        until end: ContinuousClock.Instant
    ) async throws {
        try await drill.queue(files: Self.files, rows: Self.rows)
        while ContinuousClock.now < end, try await drill.open() > 0 { try await drill.strike() }
        let isDone = try await eventually(within: .seconds(300)) {
            try await Task.sleep(for: .seconds(1))
            try await drill.revive()
            return try await drill.open() == 0
        }
        let wrong = try await drill.wrongJobs(rows: Self.rows)
        #expect(wrong.isEmpty, "\(wrong)")
        for index in cluster.nodes.indices {
            let found = try await drill.readings(index)
            #expect(found == [Self.files * Self.rows, Self.files * Self.rows, Self.files, 0], "node \(index)")
            print("galera: node \(index) has \(found)")
        }
        await print("galera: \(drill.counts.sorted { $0.key < $1.key })")
        try #require(isDone)
        if ContinuousClock.now < end { try await drill.clear() }
    }
}
