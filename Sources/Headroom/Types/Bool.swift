// BOOL, which is TINYINT(1), and whatever else is a whole number; BIT(1) too.

extension Bool: SQLDecodable, SQLEncodable {
    /// Creates `false` from 0 and `true` from any other whole number.
    public init?(cell: Cell) {
        if let number = Int64(cell: cell) {
            self = number != 0
        } else if let number = UInt64(cell: cell) {
            self = number != 0
        } else {
            return nil
        }
    }

    /// 1 or 0, as the server stores truth.
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}
