/// The lines of a settings file, as bytes: "\r\n" is one `Character`, and one may hide a quote beneath a combining mark.
///
/// A line ends with LF, CR LF or CR. A byte order mark in front is passed over.
struct SettingsLines: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private var isAtEnd = false

    init(_ bytes: [UInt8]) {
        rest = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes[...]
    }

    mutating func next() -> ArraySlice<UInt8>? {
        guard !isAtEnd else { return nil }
        guard let end = rest.firstIndex(where: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) else {
            isAtEnd = true
            return rest
        }
        let line = rest[..<end]
        let isPair = rest[end...].starts(with: [UInt8(ascii: "\r"), UInt8(ascii: "\n")])
        rest = rest[(end + (isPair ? 2 : 1))...]
        return line
    }
}

extension UInt8 {
    /// Whether the byte is a space, a tab or the end of a line: what isspace(3) says of ASCII.
    var isSpace: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}

extension ArraySlice<UInt8> {
    /// The bytes without spaces at both ends.
    var trimmed: ArraySlice<UInt8> {
        var trimmed = drop(while: \.isSpace)
        while let last = trimmed.last, last.isSpace { trimmed.removeLast() }
        return trimmed
    }

    /// Whether the bytes begin with an ASCII text.
    func begins(with text: StaticString) -> Bool {
        starts(with: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// The bytes as text.
    var text: String { String(decoding: self, as: UTF8.self) }
}
