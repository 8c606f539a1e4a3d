/// What a whole file shows of how it is meant, as counts and lines.
struct Evidence {
    /// How often something was seen, and on which line first.
    struct Mark {
        var count = 0
        var line = 0

        mutating func note(_ line: Int) {
            if count == 0 { self.line = line }
            count += 1
        }
    }

    /// A word in a column, and how often it stands there.
    struct Word: Hashable {
        var text: String
        var count: Int
        var line: Int
    }

    var rows = 0
    /// Rows of other quantities, by their word.
    var others: [String: Int] = [:]

    // Dates.
    /// Dates whose first number is over 12, and whose second is.
    var firstOver12 = Mark()
    var secondOver12 = Mark()
    /// Neighbours that are a day apart when the day, or the month, comes first.
    var daySteps = 0
    var monthSteps = 0

    // Times of rows.
    /// How many minutes lie between neighbours of a meter.
    var steps: [Int: Int] = [:]
    var forward = 0
    var backward = 0
    /// Rows with 00:00, with 24:00, and with another time.
    var midnight = Mark()
    var dayEnd = Mark()
    var otherTimes = Mark()
    /// 00:00 behind the other times of its own day, and before them.
    var midnightLast = Mark()
    /// The same where the newest row comes first.
    var midnightLastBackwards = Mark()
    var midnightFirst = Mark()
    /// Times that are no multiple of 15 minutes, and of 30.
    var oddTimes = Mark()
    var quarterTimes = Mark()
    var offsets = Mark()
    var ranges = 0
    /// Meters that have whole days, by the minute at which their first day begins.
    var dayBegins: [Int: Int] = [:]
    /// Meters with hours only, and with half-hours or less.
    var hourlyMeters = 0
    var finerMeters = 0
    var periods: ClosedRange<Int>?

    // The days when the clocks change, of rows and of columns.
    var changes: [ClockChange] = []
    var shortByClock = Mark()
    var shortByNumber = Mark()
    var shortFull = Mark()
    var longWhole = Mark()
    var longCut = Mark()

    // Values.
    var values = 0
    /// Meters whose values only rise, and meters that have enough of them to tell; for names that say nothing and for others.
    var rising = 0
    var risingStrongly = 0
    var telling = 0
    var tellingStrongly = 0
    var risingLine = 0
    var totalsRight = Mark()
    var totalsWrong = Mark()
    var totalsDouble = 0

    // Meters.
    var meters = 0
    var emptyMeters = 0
    var supplies = 0
    /// For each column with words its words, or `nil` where it has too many.
    var words: [Int: [Word]?] = [:]
    /// Columns that tell supplies, sites or meters apart, and whether more than one value stands there.
    var severalIn: [Int: [String]] = [:]

    // Readings of one meter and time.
    var repeats = 0
    var repeatsCompared = 0
    var conflicts: [Int] = []
    var conflictCount = 0
    /// Columns whose cells differ wherever two values differ.
    var separators: [Int: Int] = [:]

    /// The times around a change of the clocks that the file has for a meter, in its order.
    struct ClockChange {
        var meter: UInt64
        var day: Int
        var line: Int
        var isShort: Bool
        /// The minutes that the clock leaves out or shows twice.
        var special: [Int]
        var labels: [Int]
    }
}

/// Bits that are set one by one, in pages that are made when they are needed.
struct BitPages {
    private var pages: [UInt64: Int] = [:]
    private var words: [[UInt64]] = []
    private var last: (page: UInt64, place: Int)?

    /// Whether there are as many pages as may be: 4,096 bits each, 27 MB.
    private(set) var isFull = false

    private static let most = 50_000

    /// Sets a bit of a group; whether it was set before.
    mutating func insert(_ bit: Int, of group: Int) -> Bool {
        let page = UInt64(truncatingIfNeeded: group) << 32 | UInt64(UInt32(truncatingIfNeeded: bit >> 12))
        let place: Int
        if let last, last.page == page {
            place = last.place
        } else if let known = pages[page] {
            place = known
        } else {
            guard words.count < Self.most else {
                isFull = true
                return false
            }
            place = words.count
            pages[page] = place
            words.append([UInt64](repeating: 0, count: 64))
        }
        last = (page, place)
        let word = (bit >> 6) & 63
        let mask: UInt64 = 1 << UInt64(bit & 63)
        let isKnown = words[place][word] & mask != 0
        words[place][word] |= mask
        return isKnown
    }
}

/// The words of a column, to 16 different ones.
struct WordColumn {
    private(set) var words: [Evidence.Word] = []
    private(set) var isMany = false
    private var raw: [(UInt64, UInt64, Int)] = []
    private var last = 0

    private static let most = 16

    /// The place of a cell's word; `nil` when it is empty or one too many.
    mutating func place(of cell: Bytes, line: Int) -> Int? {
        guard !cell.isEmpty, !isMany else { return nil }
        let key = cell.count <= 16 ? (cell.word(at: 0), cell.word(at: 8), cell.count) : (StableHash(cell.buffer).value, 0, cell.count)
        if last < raw.count, raw[last] == key {
            words[last].count += 1
            return last
        }
        if let found = raw.firstIndex(where: { $0 == key }) {
            last = found
            words[found].count += 1
            return found
        }
        guard words.count < Self.most, cell.count <= 40 else {
            isMany = true
            return nil
        }
        raw.append(key)
        words.append(Evidence.Word(text: cell.text, count: 1, line: line))
        last = words.count - 1
        return last
    }
}
