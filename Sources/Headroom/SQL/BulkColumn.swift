/// The values of one parameter for many rows: see ``Connection/bulk(_:_:timeout:)``.
public enum BulkColumn: Sendable {
    /// Whole numbers.
    case integers([Int64])

    /// Texts.
    case texts(BulkTexts)

    /// The number of rows.
    public var count: Int {
        switch self {
        case .integers(let numbers): numbers.count
        case .texts(let texts): texts.count
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
