// SET: the members with commas between.

extension Set<String>: SQLDecodable, SQLEncodable {
    /// Creates the members that a SET has, or returns `nil` for a cell of another type.
    public init?(cell: Cell) {
        guard cell.type == .set, let text = String(cell: cell) else { return nil }
        self.init(text.pieces(separator: ",").map { String($0) })
    }

    /// The members with commas between.
    public var sqlValue: SQLValue {
        // No member of a SET has one (server manual).
        contains { $0.utf8.contains(UInt8(ascii: ",")) }
            ? .unstorable("A member of a set has a comma, which stands between members.")
            : .text(sorted().joined(separator: ","))
    }
}
