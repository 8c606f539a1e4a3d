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
