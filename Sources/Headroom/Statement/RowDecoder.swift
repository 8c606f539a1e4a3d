/// Decodes a row by its columns' names, for types that are `Decodable`.
struct RowDecoder: Decoder {
    let row: Row
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(RowContainer(row: row))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Self.notByName }

    func singleValueContainer() throws -> any SingleValueDecodingContainer {
        guard row.count == 1 else { throw Self.notByName }
        return CellContainer(row: row, index: 0)
    }

    private static let notByName = DatabaseError(
        .decodingFailed,
        message: "A row is read as a type with a property for each column.",
        advice: "Give the types of the columns one by one: decode(Int.self, String.self)."
    )

    /// Why a type's own code refused what it was given.
    static func reason(_ error: DecodingError) -> String {
        switch error {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            context.debugDescription
        @unknown default: "it cannot be decoded."
        }
    }
}

/// The cells of a row by their columns' names.
private struct RowContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let row: Row
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { row.columns.compactMap { Key(stringValue: $0.name) } }

    func contains(_ key: Key) -> Bool { position(of: key) != nil }

    func decodeNil(forKey key: Key) throws -> Bool { try row[find(key)].isNull }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value {
        try CellContainer(row: row, index: find(key)).decode(type)
    }

    func nestedContainer<NestedKey: CodingKey>(
        keyedBy type: NestedKey.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<NestedKey> {
        throw row.misfit(at: try find(key), as: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        throw row.misfit(at: try find(key), as: [Any].self)
    }

    /// The row itself: what a base class is decoded of.
    func superDecoder() -> any Decoder { RowDecoder(row: row) }

    func superDecoder(forKey key: Key) throws -> any Decoder { CellDecoder(row: row, index: try find(key)) }

    private func find(_ key: Key) throws -> Int {
        guard let index = position(of: key) else { throw row.columnMissing(key.stringValue) }
        return index
    }

    private func position(of key: Key) -> Int? {
        row.columns.position(of: key.stringValue) ?? row.columns.position(of: key.stringValue.inSnakeCase)
    }
}

/// A cell, as a type decodes it that is one value.
private struct CellContainer: SingleValueDecodingContainer {
    let row: Row
    let index: Int
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { row[index].isNull }

    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let type = type as? any SQLDecodable.Type {
            guard let value = type.init(cell: row[index]) as? Value else { throw row.misfit(at: index, as: type) }
            return value
        }
        do {
            return try Value(from: CellDecoder(row: row, index: index))
        } catch is DecodingError {
            throw row.misfit(at: index, as: type)
        }
    }
}

/// Decodes a cell, for a type that is one value but knows nothing of SQL, such as an enumeration.
private struct CellDecoder: Decoder {
    let row: Row
    let index: Int
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        throw Self.isOneValue
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { throw Self.isOneValue }

    func singleValueContainer() -> any SingleValueDecodingContainer { CellContainer(row: row, index: index) }

    /// The caller, which asked for the type, names the cell.
    private static var isOneValue: DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: [], debugDescription: "A cell is one value."))
    }
}

extension String {
    /// A name such as `siteID` as `site_id`.
    var inSnakeCase: String {
        let bytes = Array(utf8)
        func isUpper(_ index: Int) -> Bool { bytes.indices.contains(index) && 0x41...0x5A ~= bytes[index] }
        func isLower(_ index: Int) -> Bool { bytes.indices.contains(index) && 0x61...0x7A ~= bytes[index] }
        func isDigit(_ index: Int) -> Bool { bytes.indices.contains(index) && 0x30...0x39 ~= bytes[index] }
        var snake: [UInt8] = []
        for (index, byte) in bytes.enumerated() {
            guard isUpper(index) else {
                snake.append(byte)
                continue
            }
            let beginsWord = isLower(index - 1) || isDigit(index - 1) || isUpper(index - 1) && isLower(index + 1)
            if beginsWord { snake.append(UInt8(ascii: "_")) }
            snake.append(byte | 0x20)
        }
        return String(decoding: snake, as: UTF8.self)
    }
}
