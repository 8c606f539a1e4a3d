/// A C string that lives as long as this object: a call that is suspended still reads its arguments.
final class CString {
    let pointer: UnsafeMutablePointer<CChar>
    let count: Int

    /// Copies the text, with a terminating zero.
    init(_ text: String) {
        var text = text
        (pointer, count) = text.withUTF8 { bytes in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            bytes.withMemoryRebound(to: CChar.self) { source in
                if let base = source.baseAddress { copy.initialize(from: base, count: source.count) }
            }
            (copy + bytes.count).initialize(to: 0)
            return (copy, bytes.count)
        }
    }

    deinit {
        pointer.deallocate()
    }
}
