/// Writes bytes as `%XX` where a text must not hold them as they are, and reads them again (RFC 3986).
package enum PercentEncoding {
    /// Encodes a text.
    ///
    /// - Parameters:
    ///   - text: The text.
    ///   - isKept: Whether a byte stays as it is; to be read again, `%` must not.
    /// - Returns: The text, with each of the other bytes as `%XX`.
    package static func encoded(_ text: String, keeping isKept: (UInt8) -> Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isKept(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Decodes a text.
    ///
    /// - Parameter text: The text's bytes.
    /// - Returns: What it stands for; `nil` when two digits are missing behind a `%`, or it is no UTF-8.
    package static func decoded(_ text: some Collection<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = digit(rest.popFirst()), let low = digit(rest.popFirst()) else { return nil }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8?) -> UInt8? {
        switch byte {
        case let byte? where (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte): byte - UInt8(ascii: "0")
        case let byte? where (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte | 0x20):
            (byte | 0x20) - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
