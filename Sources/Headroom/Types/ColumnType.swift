/// The type of a column, as SQL names it.
public enum ColumnType: Sendable, Hashable {
    /// TINYINT, BOOL.
    case tinyInt
    /// SMALLINT.
    case smallInt
    /// MEDIUMINT.
    case mediumInt
    /// INT.
    case int
    /// BIGINT.
    case bigInt
    /// YEAR.
    case year
    /// BIT, of 1 to 64 bits.
    case bit
    /// FLOAT.
    case float
    /// DOUBLE.
    case double
    /// DECIMAL.
    case decimal
    /// DATE.
    case date
    /// TIME.
    case time
    /// DATETIME.
    case dateTime
    /// TIMESTAMP.
    case timestamp
    /// CHAR.
    case char
    /// VARCHAR.
    case varChar
    /// TEXT of any size.
    case text
    /// BINARY.
    case binary
    /// VARBINARY.
    case varBinary
    /// BLOB of any size.
    case blob
    /// ENUM.
    case enumeration
    /// SET.
    case set
    /// JSON.
    case json
    /// UUID of MariaDB.
    case uuid
    /// INET4 and INET6 of MariaDB.
    case inet
    /// GEOMETRY and its kin.
    case geometry
    /// VECTOR.
    case vector
    /// NULL, where a statement selects nothing else.
    case null
    /// A type that this version does not know, by its number in the protocol.
    case unknown(UInt32)

    /// Whether a value is text or bytes, which may be the text of anything: a number, a date.
    var isText: Bool {
        switch self {
        case .char, .varChar, .text, .binary, .varBinary, .blob, .enumeration, .json, .unknown: true
        default: false
        }
    }

    /// Whether the server sends a value as its text.
    var hasText: Bool {
        switch self {
        case .bit, .geometry, .vector: false
        default: true
        }
    }

    /// Whether a value is the text of a number, or text that may be one.
    var isNumeric: Bool {
        switch self {
        case .tinyInt, .smallInt, .mediumInt, .int, .bigInt, .year, .float, .double, .decimal: true
        default: isText
        }
    }
}

extension ColumnType: CustomStringConvertible {
    /// The name in SQL.
    public var description: String {
        switch self {
        case .tinyInt: "TINYINT"
        case .smallInt: "SMALLINT"
        case .mediumInt: "MEDIUMINT"
        case .int: "INT"
        case .bigInt: "BIGINT"
        case .year: "YEAR"
        case .bit: "BIT"
        case .float: "FLOAT"
        case .double: "DOUBLE"
        case .decimal: "DECIMAL"
        case .date: "DATE"
        case .time: "TIME"
        case .dateTime: "DATETIME"
        case .timestamp: "TIMESTAMP"
        case .char: "CHAR"
        case .varChar: "VARCHAR"
        case .text: "TEXT"
        case .binary: "BINARY"
        case .varBinary: "VARBINARY"
        case .blob: "BLOB"
        case .enumeration: "ENUM"
        case .set: "SET"
        case .json: "JSON"
        case .uuid: "UUID"
        case .inet: "INET"
        case .geometry: "GEOMETRY"
        case .vector: "VECTOR"
        case .null: "NULL"
        case .unknown(let number): "a type of number \(number)"
        }
    }
}
