import Headroom
import TestSupport
import Testing

/// Many rows of values go with one statement, where the server takes them.
@Suite(.sandbox()) struct BulkTests {
    private let statement: SQL = """
        INSERT INTO bulk_rows (id, word) VALUES (?, ?) ON DUPLICATE KEY UPDATE word = VALUES(word)
        """

    private func columns(_ ids: Range<Int64>, _ word: (Int64) -> String) -> [BulkColumn] {
        var words = BulkTexts(capacity: ids.count)
        for id in ids { words.append(word(id)) }
        return [.integers(Array(ids)), .texts(words)]
    }

    private func withTable(_ body: (Connection) async throws -> Void) async throws {
        try await SuiteServer.database()
            .withConnection { connection in
                try await connection.query(
                    "CREATE TEMPORARY TABLE bulk_rows (id BIGINT PRIMARY KEY, word VARCHAR(200))"
                )
                try await body(connection)
            }
    }

    @Test func `rows arrive as they are, long and empty ones too, and the server counts them`() async throws {
        try await withTable { connection in
            guard connection.takesBulk else {
                // MySQL: what an import falls back upon.
                let error = await #expect(throws: DatabaseError.self) {
                    try await connection.bulk(statement, columns(0..<3) { "\($0)" })
                }
                #expect(error?.serverCode == 5003)
                let one = try await connection.number("SELECT 1")
                #expect(one == 1)
                return
            }
            func word(_ id: Int64) -> String { String(repeating: "\u{E4}?'", count: Int(id) % 50) }
            let first = try await connection.bulk(statement, columns(0..<3000, word))
            #expect(first.affectedRows == 3000)
            let count = try await connection.number("SELECT COUNT(*) FROM bulk_rows")
            #expect(count == 3000)
            let words = try await connection.query("SELECT word FROM bulk_rows ORDER BY id").decode(String.self)
            #expect(words == (0..<3000).map(word))
            // 100 new, 100 changed, 100 as they were: 1, 2 and 0 each.
            var again = BulkTexts()
            for id in Int64(2800)..<3100 { again.append(id < 2900 ? word(id) : "new") }
            let second = try await connection.bulk(statement, [.integers(Array(2800..<3100)), .texts(again)])
            #expect(second.affectedRows == 300)
            #expect(second.info?.contains("300") == true)
        }
    }

    @Test func `columns that do not fit are an error, and the connection goes on`() async throws {
        try await withTable { connection in
            guard connection.takesBulk else { return }
            for wrong in [[], [BulkColumn.integers([1, 2]), .integers([1])], [.integers([1])], [.integers([])]] {
                let error = await #expect(throws: DatabaseError.self) { try await connection.bulk(statement, wrong) }
                #expect(error?.code == .statementFailed)
            }
            let one = try await connection.number("SELECT 1")
            #expect(one == 1)
        }
    }
}
