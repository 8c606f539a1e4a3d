/// Tells the two runs of the repeated hour apart, on the day when the clocks are put back.
///
/// Local 01:00 and 01:30 occur twice then, in the order of the file. The first row of a meter with such a time is the first
/// run, the next the second; a further one repeats the second.
struct RepeatedHours {
    private struct Key: Hashable {
        var meter: String
        var clockSeconds: Int
    }

    private var seen: Set<Key> = []

    /// Whether a row with a time that occurs twice belongs to the second run.
    mutating func isSecond(meter: String, clockSeconds: Int) -> Bool {
        !seen.insert(Key(meter: meter, clockSeconds: clockSeconds)).inserted
    }
}
