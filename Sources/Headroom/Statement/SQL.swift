/// Holds a statement whose values are bound, never pasted into its text.
///
/// Written as a string with interpolations, each of which becomes a `?` and a bound value, so that no value can turn into
/// SQL. For example:
///
/// ```swift
/// try await connection.query("SELECT name FROM sites WHERE id = \(id) AND is_active = \(true)")
/// ```
public struct SQL: Sendable, Hashable {
    /// The statement's text, with a `?` for each value.
    public private(set) var text: String

    /// The values, in the order of their question marks.
    public private(set) var values: [SQLValue]

    /// Whether the statement is prepared on the server although it has no values, which takes a second round trip.
    ///
    /// The rows then come in the binary form, in which a FLOAT is exact; in the text form the server rounds it to 6 digits.
    public var isPrepared = false

    /// Creates a statement from its text, with nothing bound.
    public init(raw text: String) {
        self.text = text
        values = []
    }

    /// Appends another statement's text and values.
    public mutating func append(_ other: SQL) {
        text += other.text
        values += other.values
        isPrepared = isPrepared || other.isPrepared
    }
}

extension SQL: ExpressibleByStringInterpolation {
    /// Creates a statement without values from a literal.
    public init(stringLiteral text: String) {
        self.init(raw: text)
    }

    /// Creates a statement from a literal with values.
    public init(stringInterpolation: Interpolation) {
        self = stringInterpolation.sql
    }

    /// Collects the parts of an interpolated statement.
    public struct Interpolation: StringInterpolationProtocol {
        fileprivate var sql: SQL

        /// Creates an empty statement with room for its parts.
        public init(literalCapacity: Int, interpolationCount: Int) {
            sql = SQL(raw: "")
            sql.text.reserveCapacity(literalCapacity + interpolationCount)
            sql.values.reserveCapacity(interpolationCount)
        }

        /// Appends a part of the statement's own text.
        public mutating func appendLiteral(_ literal: String) {
            sql.text += literal
        }

        /// Appends a `?` and binds a value.
        public mutating func appendInterpolation(_ value: some SQLEncodable) {
            sql.text += "?"
            sql.values.append(value.sqlValue)
        }

        /// Appends a `?` and binds a value, or NULL; without it the compiler asks whether an optional was meant.
        public mutating func appendInterpolation(_ value: (some SQLEncodable)?) {
            sql.text += "?"
            sql.values.append(value.sqlValue)
        }

        /// Appends `?, ?, …` and binds each of the values, as after `IN`; an empty list becomes `NULL`, which matches nothing.
        public mutating func appendInterpolation(list values: some Sequence<some SQLEncodable>) {
            let bound = values.map(\.sqlValue)
            sql.text += bound.isEmpty ? "NULL" : repeatElement("?", count: bound.count).joined(separator: ", ")
            sql.values += bound
        }

        /// Appends another statement's text and values.
        public mutating func appendInterpolation(_ other: SQL) {
            sql.append(other)
        }

        /// Appends text as it stands: for names of tables and columns that the program itself chose, never for input.
        public mutating func appendInterpolation(raw text: String) {
            sql.text += text
        }
    }
}
