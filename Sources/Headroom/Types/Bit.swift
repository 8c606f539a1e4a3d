// BIT(1) to BIT(64): the server sends the bits as bytes, the highest first, also in the text form.

extension FixedWidthInteger {
    /// Creates the number that the bits make, or returns `nil` when it does not fit.
    init?(bits: ArraySlice<UInt8>) {
        guard bits.count <= 8 else { return nil }
        self.init(exactly: bits.reduce(UInt64(0)) { $0 << 8 | UInt64($1) })
    }
}
