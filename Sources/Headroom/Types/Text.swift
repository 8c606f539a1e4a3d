// CHAR, VARCHAR, TEXT, ENUM, JSON, UUID, INET6; and whatever else the server writes as text.

extension String: SQLDecodable, SQLEncodable {
    /// Creates the text of anything but NULL, BIT, GEOMETRY, VECTOR and bytes that are not UTF-8.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes, cell.type.hasText, let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        self = text
    }

    /// The text.
    public var sqlValue: SQLValue { .text(self) }
}
