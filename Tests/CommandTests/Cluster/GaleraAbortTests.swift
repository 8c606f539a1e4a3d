import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Transactions on one node of a Galera cluster that commits of another node end, at any moment.
@Suite(.enabled(if: ClusterRun.isWanted), .serialized) struct GaleraAbortTests {
    private static let rows: [Int64] = Array(0..<50)

    private func database(_ node: GaleraCluster.Node) -> Database {
        Database(
            DatabaseSettings(endpoint: .socket(path: node.socket), username: "root", database: "app"),
            share: .reserve
        )
    }

    /// Writes the row again and again that the transactions of the other node begin with.
    private func disturb(_ node: GaleraCluster.Node) async throws {
        try await database(node)
            .withConnection { connection in
                while !Task.isCancelled {
                    try await Task.sleep(for: .microseconds(Int.random(in: 0...6_000)))
                    do {
                        try await connection.query("UPDATE hot SET n = n + 1 WHERE id = 1")
                    } catch let error as DatabaseError where error.isRetryableTransaction {}
                }
            }
    }

    @Test func `a transaction is kept whole or not at all, whenever another node's commit ends it`() async throws {
        if let obstacle = GaleraCluster.obstacle(scripts: ClusterRun.scripts) {
            Issue.record("Not run here: \(obstacle).")
            return
        }
        try await GaleraCluster.with(SandboxOptions(), nodes: 2, scripts: ClusterRun.scripts) { cluster in
            let (here, there) = (database(cluster.nodes[0]), cluster.nodes[1])
            try await here.withConnection { connection in
                try await connection.query("CREATE TABLE hot (id INT PRIMARY KEY, n BIGINT NOT NULL)")
                try await connection.query("CREATE TABLE pieces (n INT, k INT, PRIMARY KEY (n, k))")
                try await connection.query("CREATE TABLE progress (id INT PRIMARY KEY, n INT NOT NULL)")
                try await connection.query("INSERT INTO hot VALUES (1, 0)")
                try await connection.query("INSERT INTO progress VALUES (1, 0)")
            }
            let disturber = Task { try await disturb(there) }
            try await here.withConnection { connection in
                // As an import's chunk: rows, then how far it is.
                var (kept, told, untold, number) = (0, 0, 0, 0)
                let end = ContinuousClock.now + ClusterRun.duration
                while ContinuousClock.now < end {
                    number += 1
                    let numbers = [Int64](repeating: Int64(number), count: Self.rows.count)
                    var isKept = false
                    do {
                        try await connection.withTransaction {
                            try await connection.query("UPDATE hot SET n = n + 1 WHERE id = \(1)")
                            try await connection.bulk(
                                "INSERT INTO pieces VALUES (?, ?)",
                                [.integers(numbers), .integers(Self.rows)]
                            )
                            try await connection.query("UPDATE progress SET n = \(number) WHERE id = \(1)")
                        }
                        isKept = true
                        kept += 1
                    } catch let error as DatabaseError where error.isRetryableTransaction {
                        told += 1
                    } catch let error as DatabaseError where error.code == .transactionLost {
                        untold += 1
                    }
                    let found =
                        try await connection.query(
                            "SELECT (SELECT COUNT(*) FROM pieces WHERE n = \(number)), (SELECT n FROM progress)"
                        )
                        .first(Int.self, Int.self)
                    let (pieces, progress) = try #require(found)
                    #expect(pieces == (isKept ? Self.rows.count : 0))
                    #expect((progress == number) == isKept)
                }
                print(
                    "galera: of \(number) transactions \(kept) kept, \(told) ended with an error, \(untold) without one"
                )
                #expect(kept > 0 && told > 0)
            }
            disturber.cancel()
            _ = await disturber.result
        }
    }
}
