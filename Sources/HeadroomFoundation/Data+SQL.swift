public import Headroom

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension Data: SQLDecodable, SQLEncodable {
    /// Creates data from anything but NULL, as the server sends it.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes else { return nil }
        self.init(bytes)
    }

    /// The bytes.
    public var sqlValue: SQLValue { .bytes(Array(self)) }
}
