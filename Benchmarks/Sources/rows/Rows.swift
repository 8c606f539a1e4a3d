import Glibc
import Headroom
import HeadroomSandbox
import Support

/// Measures what it costs to read a million rows, in the text form and in the binary one, and to run a bound statement again.
@main
struct Rows {
    static let rounds = 5
    static let table =
        "(SELECT seq AS n, CONCAT('meter-', seq) AS name, seq * 0.125 AS value FROM seq_1_to_1000000) AS rows_"

    static func main() async throws {
        try await Sandbox.with(SandboxOptions(limit: 2)) { sandbox in
            try await sandbox.database()
                .withConnection { connection in
                    try await read(connection)
                    try await repeatBound(connection)
                }
        }
    }

    static func read(_ connection: Connection) async throws {
        try await connection.query("CREATE TEMPORARY TABLE million AS SELECT * FROM \(raw: table)")
        let all: SQL = "SELECT n, name, value FROM million"
        for (form, sql) in [("text", all), ("binary", "\(all) WHERE n > \(0)")] {
            try await measure("\(form), read whole") { _ = try await connection.query(sql).rows.count }
            try await measure("\(form), streamed, decoded") {
                var sum = 0
                for try await row in try await connection.stream(sql) {
                    let (n, name, value) = try row.decode(Int.self, String.self, Double.self)
                    sum &+= n + name.utf8.count + Int(value)
                }
                precondition(sum > 0)
            }
        }
    }

    /// The same statement again and again in one scope.
    static func repeatBound(_ connection: Connection) async throws {
        try await connection.query("CREATE TEMPORARY TABLE few (id INT PRIMARY KEY, name VARCHAR(20))")
        try await connection.query("INSERT INTO few SELECT seq, CONCAT('meter-', seq) FROM seq_1_to_1000")
        try await measure("20,000 bound statements, the same text") {
            for id in 0..<20_000 {
                _ = try await connection.query("SELECT name FROM few WHERE id = \(id % 1000)").first(String.self)
            }
        }
        try await measure("20,000 bound statements, each text once") {
            for id in 0..<20_000 {
                _ = try await connection.query("SELECT name, \(raw: "\(id)") FROM few WHERE id = \(id % 1000)").rows
                    .count
            }
        }
    }

    /// Runs the body several times, and prints the median of its time and of this process's processor time.
    static func measure(_ name: String, _ body: () async throws -> Void) async throws {
        var (times, ofProcessor): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            let (begin, processor) = (ContinuousClock.now, clock())
            try await body()
            times.append((ContinuousClock.now - begin).seconds)
            ofProcessor.append(Double(clock() - processor) / Double(CLOCKS_PER_SEC))
        }
        say("\(name): \(rounded(times.median, 3)) s, of the processor \(rounded(ofProcessor.median, 3)) s")
    }
}
