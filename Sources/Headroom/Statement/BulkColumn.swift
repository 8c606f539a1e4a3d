/// The values of one parameter for many rows: see ``Connection/bulk(_:_:timeout:)``.
public enum BulkColumn: Sendable {
    /// Whole numbers.
    case integers([Int64])

    /// Texts.
    case texts(BulkTexts)

    /// Values of any one kind, such as numbers with a fraction, with NULLs among them.
    case values([SQLValue])

    /// Creates a column of values of one type, with NULL for `nil`.
    public init(_ values: some Sequence<some SQLEncodable>) {
        self = .values(values.map(\.sqlValue))
    }

    /// The number of rows.
    public var count: Int {
        switch self {
        case .integers(let numbers): numbers.count
        case .texts(let texts): texts.count
        case .values(let values): values.count
        }
    }
}

extension BulkColumn {
    /// The one form in which all values of a column are sent.
    enum Form {
        case signed
        case unsigned
        case double
        case decimal
        case text
        case bytes
    }

    /// The form that holds all values; whole numbers beyond the protocol's integers go as decimals.
    ///
    /// - Throws: ``DatabaseError`` with `encodingFailed` when a value cannot be stored, or the column mixes kinds.
    var form: Form {
        get throws(DatabaseError) {
            guard case .values(let values) = self else { return .text }
            try SQLValue.check(values)
            var kinds: Set<Form> = []
            for value in values {
                switch value {
                case .null, .unstorable: break
                case .integer(let number): kinds.insert(number < 0 ? .signed : .unsigned)
                case .unsigned: kinds.insert(.unsigned)
                case .double: kinds.insert(.double)
                case .decimal: kinds.insert(.decimal)
                case .text: kinds.insert(.text)
                case .bytes: kinds.insert(.bytes)
                }
            }
            switch kinds {
            case []: return .text
            case [.signed, .unsigned]:
                let isLarge = values.contains {
                    if case .unsigned(let number) = $0 { number > Int64.max } else { false }
                }
                return isLarge ? .decimal : .signed
            case let kinds where kinds.isSubset(of: [.signed, .unsigned, .decimal]) && kinds.contains(.decimal):
                return .decimal
            case let kinds where kinds.count == 1: return kinds.first ?? .text
            default:
                throw DatabaseError(
                    .encodingFailed,
                    message: "A column of a bulk statement has values of several kinds.",
                    advice: "Give all values of a column one type, with nil for NULL."
                )
            }
        }
    }
}

/// Many short texts, one behind the other in one piece of memory.
public struct BulkTexts: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var ends: [Int] = []

    /// Creates a list without texts.
    ///
    /// - Parameter capacity: The number of texts to make room for.
    public init(capacity: Int = 0) {
        bytes.reserveCapacity(capacity * 8)
        ends.reserveCapacity(capacity)
    }

    /// The number of texts.
    public var count: Int { ends.count }

    /// Appends a text, given as its bytes in UTF-8.
    ///
    /// - Parameter write: Appends the bytes to what is there.
    public mutating func append(_ write: (inout [UInt8]) -> Void) {
        write(&bytes)
        ends.append(bytes.count)
    }

    /// Appends a text.
    public mutating func append(_ text: String) {
        append { $0.append(contentsOf: text.utf8) }
    }
}
