/// Tells the two runs of the repeated hour apart, on the day when the clocks are put back.
///
/// Local 01:00 and 01:30 occur twice then, in the order of the file. The first row of a meter with such a time is the first
/// run, the next the second; a further one repeats the second.
///
/// It remembers the last 65,536 such times at least, and at most twice as many: enough for a file in the order of time with
/// 32,768 meters, or one in the order of meters with any number, in a bounded space.
struct RepeatedHours {
    /// Times that have been seen, each as a hash of meter and time.
    private var seen: Set<UInt64> = []

    /// The same from before `seen` was full the last time.
    private var older: Set<UInt64> = []

    private static let most = 65_536

    /// The most times that a position carries; with more of them, they are read again from the file's beginning.
    static let mostInPosition = 256

    /// Whether a row with a time that occurs twice belongs to the second run.
    ///
    /// - Parameters:
    ///   - meter: A hash of the meter.
    ///   - clockSeconds: What the clock shows, in seconds since 1970.
    /// - Returns: Whether the time has been seen before.
    mutating func isSecond(meter: UInt64, clockSeconds: Int) -> Bool {
        // The hash is mixed so that neighbouring times lie apart (the finaliser of SplitMix64).
        var key = meter ^ UInt64(bitPattern: Int64(clockSeconds)) &* 0x9E37_79B9_7F4A_7C15
        key = (key ^ key >> 30) &* 0xBF58_476D_1CE4_E5B9
        key = (key ^ key >> 27) &* 0x94D0_49BB_1331_11EB
        key ^= key >> 31
        let isKnown = !seen.insert(key).inserted || older.contains(key)
        if seen.count >= Self.most {
            older = seen
            seen = []
        }
        return isKnown
    }

    /// What a position carries; `nil` when it is too much.
    var state: [UInt64]? {
        seen.count + older.count <= Self.mostInPosition ? seen.sorted() : nil
    }

    init(_ state: [UInt64] = []) {
        seen = Set(state)
    }
}
