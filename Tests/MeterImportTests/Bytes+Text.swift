@testable import MeterImport

extension Bytes {
    /// The bytes of a text, kept for as long as the tests run.
    init(keeping text: String) {
        let bytes = Array(text.utf8)
        let start = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count + 1)
        start.initialize(from: bytes, count: bytes.count)
        self.init(start: start, count: bytes.count)
    }
}

extension String {
    /// The text in UTF-16, with its mark.
    var inUTF16: [UInt8] {
        var bytes: [UInt8] = [0xFF, 0xFE]
        for unit in utf16 { bytes += [UInt8(unit & 0xFF), UInt8(unit >> 8)] }
        return bytes
    }
}
