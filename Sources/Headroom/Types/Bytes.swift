// BINARY, VARBINARY, BLOB, GEOMETRY (4 bytes of the reference system, then WKB), VECTOR (floats, the lowest byte first).

extension [UInt8]: SQLDecodable, SQLEncodable {
    /// Creates bytes from anything but NULL, as the server sends them.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes else { return nil }
        self = [UInt8](bytes)
    }

    /// The bytes.
    public var sqlValue: SQLValue { .bytes(self) }
}
