public import Headroom

#if canImport(FoundationEssentials)
import FoundationEssentials
#else
import Foundation
#endif

/// A value that is stored as JSON, in a column of type JSON or as text.
///
/// For example: `\(JSONValue(settings))` in a statement, and `decode(JSONValue<Settings>.self)` of its rows.
public struct JSONValue<Value> {
    /// The value.
    public var value: Value

    /// Wraps a value.
    public init(_ value: Value) {
        self.value = value
    }
}

extension JSONValue: Sendable where Value: Sendable {}
extension JSONValue: Equatable where Value: Equatable {}
extension JSONValue: Hashable where Value: Hashable {}

extension JSONValue: SQLDecodable where Value: Decodable {
    /// Creates the value that the JSON describes, or returns `nil` when it describes none.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes, cell.type.isJSON,
            let value = try? JSONDecoder().decode(Value.self, from: Data(bytes))
        else { return nil }
        self.value = value
    }
}

extension JSONValue: SQLEncodable where Value: Encodable {
    /// The value's JSON, with the keys in order; `unstorable` where it cannot be written.
    public var sqlValue: SQLValue {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        guard let data = try? encoder.encode(value) else { return .unstorable("The value cannot be written as JSON.") }
        return .text(String(decoding: data, as: UTF8.self))
    }
}

// For a property of a type that is decoded of a row.
extension JSONValue: Decodable where Value: Decodable {
    /// Creates the value from another decoder's, as itself.
    public init(from decoder: any Decoder) throws {
        value = try Value(from: decoder)
    }
}

extension ColumnType {
    fileprivate var isJSON: Bool {
        switch self {
        case .json, .char, .varChar, .text, .binary, .varBinary, .blob: true
        default: false
        }
    }
}
