import Testing

@testable import Headroom

/// Values are bound, never pasted.
@Suite struct SQLTests {
    @Test func `an interpolated value becomes a question mark`() {
        let name = "x'; DROP TABLE users; --"
        let missing: String? = nil
        let sql: SQL = "SELECT \(name), \(5), \(missing), \(true) FROM \(raw: "t")"
        #expect(sql.text == "SELECT ?, ?, ?, ? FROM t")
        #expect(sql.values == [.text(name), .integer(5), .null, .integer(1)])
    }

    @Test func `a list becomes as many question marks, and an empty one matches nothing`() {
        #expect(("IN (\(list: [1, 2, 3]))" as SQL).text == "IN (?, ?, ?)")
        #expect(("IN (\(list: [Int]()))" as SQL).text == "IN (NULL)")
    }

    @Test func `statements are put together with their values in order`() {
        var sql: SQL = "a = \(1)"
        sql.append(" AND b = \(2)")
        let whole: SQL = "SELECT 1 WHERE \(sql) AND c = \(3)"
        #expect(whole.text == "SELECT 1 WHERE a = ? AND b = ? AND c = ?")
        #expect(whole.values == [.integer(1), .integer(2), .integer(3)])
    }

    private func cell(_ bytes: [UInt8]?, _ type: ColumnType = .varChar) -> Cell {
        Cell(bytes: bytes.map { $0[...] }, columns: Columns([Column("a", type)]), position: 0)
    }

    private func cell(_ text: String) -> Cell { cell(Array(text.utf8)) }

    @Test func `a cell is read as what it is, or not at all`() {
        #expect(Int(cell: cell("42")) == 42)
        #expect(Int(cell: cell("4.2")) == nil)
        #expect(Int32(cell: cell("3000000000")) == nil)
        #expect(Double(cell: cell("4.25")) == 4.25)
        #expect(Bool(cell: cell("0")) == false)
        #expect(String(cell: cell(nil)) == nil)
        #expect(String(cell: cell([0xFF])) == nil)
        #expect([UInt8](cell: cell([0xFF])) == [0xFF])
        #expect(Int?(cell: cell(nil)) == .some(nil))
        #expect(Int?(cell: cell("x")) == nil)
        #expect(Int(cell: cell([0x31], .bit)) == 0x31)
        #expect(UInt64(cell: cell([UInt8](repeating: 0xFF, count: 9), .bit)) == nil)
    }

    @Test func `a row that does not fit says what is wrong`() {
        let columns = Columns([Column("id", .int), Column("name", .text)])
        let row = Row(columns: columns, ordinal: 1, bytes: Array("7x".utf8), cells: [0..<1, nil])
        #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Int.self) }
        #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Int.self, String.self) }
        #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Int.self, column: "nope") }
        #expect(throws: DatabaseError(.decodingFailed, message: "")) { try row.decode(Int.self, at: 9) }
    }
}
