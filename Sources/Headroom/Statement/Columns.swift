/// The columns of a result, in the statement's order; kept once for all of its rows.
public final class Columns: Sendable, RandomAccessCollection {
    private let list: [Column]

    init(_ list: [Column]) {
        self.list = list
    }

    /// The names in their order, as the statement gives them.
    public var names: [String] { list.map(\.name) }

    /// The position of the first column, 0.
    public var startIndex: Int { 0 }

    /// The number of columns.
    public var endIndex: Int { list.count }

    /// The column at a position, from 0.
    public subscript(position: Int) -> Column { list[position] }

    /// The position of the first column of a name.
    func position(of name: String) -> Int? { list.firstIndex { $0.name == name } }
}

/// What the server says of a column of a result.
public struct Column: Sendable, Hashable {
    /// The name, as the statement gives it.
    public let name: String

    /// The type of its values.
    public let type: ColumnType

    /// Whether its numbers have no sign.
    public let isUnsigned: Bool

    /// Whether the server knows that no value is NULL.
    public let isNeverNull: Bool

    /// The most bytes that a value takes as text, as the server says.
    public let length: Int

    /// The number of decimals of a number, or of digits after the second; `nil` where each value has its own.
    public let decimals: Int?

    /// Creates a column.
    ///
    /// - Parameters:
    ///   - name: The name.
    ///   - type: The type of its values.
    ///   - isUnsigned: Whether its numbers have no sign.
    ///   - isNeverNull: Whether no value is NULL.
    ///   - length: The most bytes that a value takes as text.
    ///   - decimals: The number of decimals; `nil` where each value has its own.
    init(
        _ name: String,
        _ type: ColumnType,
        isUnsigned: Bool = false,
        isNeverNull: Bool = false,
        length: Int = 0,
        decimals: Int? = nil
    ) {
        self.name = name
        self.type = type
        self.isUnsigned = isUnsigned
        self.isNeverNull = isNeverNull
        self.length = length
        self.decimals = decimals
    }
}
