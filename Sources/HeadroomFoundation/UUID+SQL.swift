public import Headroom

#if canImport(FoundationEssentials)
public import FoundationEssentials
#else
public import Foundation
#endif

extension UUID: SQLDecodable, SQLEncodable {
    /// Creates an id from its text, which MariaDB's UUID has too, or from a BINARY(16).
    public init?(cell: Cell) {
        switch cell.type {
        case .binary, .varBinary, .blob:
            guard let bytes = cell.bytes, bytes.count == 16 else {
                self.init(textOf: cell)
                return
            }
            var uuid = UUID().uuid
            withUnsafeMutableBytes(of: &uuid) { $0.copyBytes(from: bytes) }
            self.init(uuid: uuid)
        case .uuid, .char, .varChar, .text:
            self.init(textOf: cell)
        default:
            return nil
        }
    }

    /// The id as text; for a BINARY(16) bind ``sqlBytes``.
    public var sqlValue: SQLValue { .text(uuidString) }

    /// The id as the 16 bytes of a BINARY(16).
    public var sqlBytes: SQLValue { withUnsafeBytes(of: uuid) { .bytes(Array($0)) } }

    private init?(textOf cell: Cell) {
        guard let text = String(cell: cell), text.utf8.count == 36 else { return nil }
        self.init(uuidString: text)
    }
}
