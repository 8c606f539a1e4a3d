/// How far the second of two sessions has come: the checkpoint of its half of each chunk.
struct Lane: Codable, Hashable, Sendable {
    /// The lane of the second session; the first is 0.
    static let number = 1

    /// Behind the last chunk whose part was committed, in bytes.
    var offset = 0

    /// The readings that were new.
    var new = 0

    /// The readings that were there already, or came twice.
    var duplicates = 0

    init() {}

    /// Reads a lane; `nil` when it is not one.
    init?(json: String) {
        guard let read = try? JSONText.decode(Self.self, json),
            [read.offset, read.new, read.duplicates].allSatisfy({ (0...ImportCheckpoint.most).contains($0) })
        else { return nil }
        self = read
    }

    /// The lane as the database keeps it.
    var json: String { #"{"offset":\#(offset),"new":\#(new),"duplicates":\#(duplicates)}"# }
}

/// Parts a chunk's readings for two sessions: each gets about half of them, of days that lie together.
///
/// A meter's day is never parted, so that of two readings of one half-hour the last one wins as ever; and the sessions wait
/// for each other after each chunk.
struct ChunkHalves {
    private struct Day: Hashable {
        var meter: Int
        var day: Int
    }

    /// The readings of the first session.
    private(set) var first: [Reading] = []

    /// The readings of the second session.
    private(set) var second: [Reading] = []

    /// Parts readings; the same ones always alike.
    init(_ readings: [Reading]) {
        first.reserveCapacity(readings.count / 2 + 50)
        second.reserveCapacity(readings.count / 2 + 50)
        var isSecond: [Day: Bool] = [:]
        var last: (day: Day, isSecond: Bool)?
        for (index, reading) in readings.enumerated() {
            let day = Day(meter: reading.meter, day: reading.date.days)
            let belongs: Bool
            if let last, last.day == day {
                belongs = last.isSecond
            } else {
                belongs = isSecond[day] ?? (index >= readings.count / 2)
                isSecond[day] = belongs
                last = (day, belongs)
            }
            if belongs { second.append(reading) } else { first.append(reading) }
        }
    }
}

/// Decides which parts of a chunk are still to be stored, when two sessions may have come differently far.
struct PartsToStore: Hashable {
    /// Whether the first half, with the rejected rows and counts, is to be stored.
    var first = true

    /// Whether the second half is to be stored.
    var second = true

    /// Judges a chunk.
    ///
    /// - Parameters:
    ///   - end: Where the chunk ends.
    ///   - first: Where the first session's last commit ends.
    ///   - second: Where the second session's last commit ends; behind the first's when it has not been in use since.
    init(end: Int, first: Int, second: Int) {
        self.first = end > first
        self.second = end > second
    }
}
