/// A value to bind to a statement, in one of the forms that the protocol has.
public enum SQLValue: Sendable, Hashable {
    /// NULL.
    case null
    /// A signed integer.
    case integer(Int64)
    /// An unsigned integer.
    case unsigned(UInt64)
    /// A double-precision number.
    case double(Double)
    /// Text in UTF-8; also dates, times and decimals, which the server reads from their text.
    case text(String)
    /// Bytes as they are.
    case bytes([UInt8])
}

/// A type whose values can be bound to a statement.
public protocol SQLEncodable {
    /// The value in the protocol's form.
    var sqlValue: SQLValue { get }
}

extension SQLValue: SQLEncodable {
    /// The value itself.
    public var sqlValue: SQLValue { self }
}

extension Int: SQLEncodable {
    /// The number as a signed integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Int32: SQLEncodable {
    /// The number as a signed integer.
    public var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Int64: SQLEncodable {
    /// The number as a signed integer.
    public var sqlValue: SQLValue { .integer(self) }
}

extension UInt32: SQLEncodable {
    /// The number as an unsigned integer.
    public var sqlValue: SQLValue { .unsigned(UInt64(self)) }
}

extension UInt64: SQLEncodable {
    /// The number as an unsigned integer.
    public var sqlValue: SQLValue { .unsigned(self) }
}

extension Double: SQLEncodable {
    /// The number in double precision.
    public var sqlValue: SQLValue { .double(self) }
}

extension Bool: SQLEncodable {
    /// 1 or 0, as the server stores truth.
    public var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension String: SQLEncodable {
    /// The text.
    public var sqlValue: SQLValue { .text(self) }
}

extension [UInt8]: SQLEncodable {
    /// The bytes.
    public var sqlValue: SQLValue { .bytes(self) }
}
