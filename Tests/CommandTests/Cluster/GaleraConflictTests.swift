import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Imports on one node of a Galera cluster whose transactions another node's commits end in the middle, all the time.
@Suite(.enabled(if: ClusterRun.isWanted), .serialized) struct GaleraConflictTests {
    private static let files = 40
    private static let rows = 11_000

    @Test func `a chunk whose transaction another node has ended is stored whole, or not counted`() async throws {
        if let obstacle = GaleraCluster.obstacle(scripts: ClusterRun.scripts) {
            Issue.record("Not run here: \(obstacle).")
            return
        }
        let folder = TemporaryFolder()
        try await GaleraCluster.with(SandboxOptions(), nodes: 2, scripts: ClusterRun.scripts) { cluster in
            let drill = GaleraDrill(cluster, in: folder.path)
            try await drill.migrate()
            try await drill.queue(files: Self.files, rows: Self.rows)
            let isOver = EventFlag()
            let isDone = try await withThrowingTaskGroup(of: Int.self) { group in
                group.addTask {
                    let other = Database(await drill.administrator(1), share: .reserve)
                    return try await other.withConnection { connection in
                        var count = 0
                        while !isOver.isRaised {
                            // A reading holds its meter's row, which the other node's change must have.
                            try await connection.query("UPDATE meters SET is_active = 1 - is_active")
                            count += 1
                            try await Task.sleep(for: .milliseconds(Int.random(in: 300...900)))
                        }
                        return count
                    }
                }
                // On the first node alone, whose turn it is to be interrupted.
                try await drill.startWorkers(1)
                let isDone = try await eventually(within: .seconds(300)) {
                    try await Task.sleep(for: .milliseconds(500))
                    return try await drill.open() == 0
                }
                isOver.raise()
                let changes = try await group.reduce(0, +)
                print("galera: \(changes) commits of the other node")
                return isDone
            }
            await drill.killWorkers()
            #expect(isDone)
            let wrong = try await drill.wrongJobs(rows: Self.rows)
            #expect(wrong.isEmpty, "\(wrong)")
            for index in cluster.nodes.indices {
                let found = try await drill.readings(index)
                #expect(found == [Self.files * Self.rows, Self.files * Self.rows, Self.files, 0], "node \(index)")
            }
            let status = try await drill.query("SHOW STATUS LIKE 'wsrep_local_bf_aborts'")
            print("galera: \(status.rows.map { "\($0[1])" }) transactions ended")
        }
    }
}
