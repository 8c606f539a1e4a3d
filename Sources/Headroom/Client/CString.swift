/// A C string that lives as long as this object: a call that is suspended still reads its arguments.
final class CString {
    let pointer: UnsafeMutablePointer<CChar>
    let count: Int

    /// Copies the text, with a terminating zero.
    init(_ text: String) {
        let bytes = text.utf8CString
        count = bytes.count - 1
        pointer = .allocate(capacity: bytes.count)
        for (index, byte) in bytes.enumerated() { (pointer + index).initialize(to: byte) }
    }

    deinit {
        pointer.deallocate()
    }
}
