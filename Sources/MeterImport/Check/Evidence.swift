/// What a whole file shows of how it is meant, as counts and lines.
struct Evidence {
    /// How often something was seen, and on which line first.
    struct Mark {
        var count = 0
        var line = 0

        mutating func note(_ line: Int, _ times: Int = 1) {
            if count == 0 { self.line = line }
            count += times
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
    /// What the dates show that are written as three numbers, for each order of them.
    var orders: [DateOrder: OrderEvidence] = [:]

    // Times of rows.
    /// How many minutes lie between neighbours of a meter.
    var steps: [Int: Int] = [:]
    var forward = 0
    var backward = 0
    /// Steps forward less those back, on days on which the clocks change.
    var changeBalance = 0
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
    /// Times that name their end too, by the minutes between, and those of which the end may be an offset from UTC.
    var ranges: [Int: Int] = [:]
    var dashes = Mark()
    /// Times that are the last second of a quarter of an hour.
    var lastSeconds = Mark()
    /// Meters that have whole days, by the minute at which their first day begins as it is written, and by local time.
    var dayBegins: [Int: Int] = [:]
    var localBegins: [Int: Int] = [:]
    /// Meters with hours only, and with half-hours or less.
    var hourlyMeters = 0
    var finerMeters = 0
    var periods: ClosedRange<Int>?

    // The days when the clocks change, of rows and of columns.
    var changes: [ClockChange] = []
    var numberedChanges: [UInt64: NumberedDay] = [:]
    var shortByClock = Mark()
    var shortByNumber = Mark()
    var shortFull = Mark()
    var longWhole = Mark()
    var longCut = Mark()

    // Values.
    /// Values with signs between thousands, with a comma before decimals, and with one that may be either.
    var groupedNumbers = Mark()
    var decimalCommas = Mark()
    var eitherCommas = Mark()
    var hasPoint = false
    /// Meters whose values only rise, and meters that have enough of them to tell.
    var rising = 0
    var telling = 0
    /// Meters whose values rise as only a register's do.
    var risingStrongly = 0
    var totalsRight = Mark()
    var totalsWrong = Mark()
    var totalsDouble = 0

    // Columns.
    /// Whether a meter has a number as supplies of gas have.
    var hasGasNumbers = false
    /// For each column with words its words, or `nil` where it has too many.
    var words: [Int: [Word]?] = [:]
    /// The words of the flags beside the half-hours; `nil` where there are too many.
    var flagWords: [Word]? = []
    /// Columns that tell supplies, sites or meters apart, and whether more than one value stands there.
    var severalIn: [Int: [String]] = [:]

    // Readings of one meter and time.
    var conflicts: [Int] = []
    var conflictCount = 0
    /// Those of which the words of the rows are known too.
    var conflictsWithWords = 0
    /// Columns whose cells differ wherever two values differ.
    var separators: [Int: Int] = [:]

    /// What dates of three numbers show when they are read in one order.
    struct OrderEvidence {
        /// Dates that the calendar has, and that it has not.
        var possible = Mark()
        var impossible = Mark()
        /// Dates that are yet to come.
        var future = Mark()
        /// Neighbours of a meter that are a day apart, and those that are further apart.
        var steps = 0
        var leaps = 0
        /// The last day.
        var last = Int.min
    }

    /// How many half-hours, which are numbered, a day has on which the clocks change.
    struct NumberedDay {
        var line: Int
        /// How many half-hours the day has.
        var halfHours: Int
        var count = 0
        var first = Int.max
        var last = Int.min
    }

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

/// Bits that are set one by one, in pages that are made when they are needed; only so many of them as memory may hold.
///
/// Which pages are held is told by a hash of their place: those below a bound, which is lowered when there are too many. Others
/// are for a further pass over the file.
struct BitPages {
    private var pages: [UInt64: Int32] = [:]
    private var words: [UInt64] = []
    private var last: (page: UInt64, place: Int)?
    /// The pages that are looked at.
    private var range: ClosedRange<UInt64> = 0...UInt64.max

    private let most: Int
    private static let pageBits: UInt64 = 4096
    private static let pageWords = 64

    /// Creates pages: 20,000 of 4,096 bits each by default, 10 MB.
    init(most: Int = 20_000) {
        self.most = most
    }

    /// The key of a bit of a group: its page by a hash, and the place in there.
    static func key(_ bit: Int, of group: UInt64) -> UInt64 {
        let bits = UInt64(bitPattern: Int64(bit))
        var page = group ^ (bits / pageBits) &* 0x9E37_79B9_7F4A_7C15
        page = (page ^ page >> 30) &* 0xBF58_476D_1CE4_E5B9
        page = (page ^ page >> 27) &* 0x94D0_49BB_1331_11EB
        page ^= page >> 31
        return page / pageBits * pageBits + bits % pageBits
    }

    /// Whether a key is looked at in this pass.
    func holds(_ key: UInt64) -> Bool { range.contains(key / Self.pageBits * Self.pageBits) }

    /// Sets a bit, and returns whether it was set before; one that is not looked at is not set.
    mutating func insert(_ key: UInt64) -> Bool {
        let page = key / Self.pageBits
        let place: Int
        if let last, last.page == page {
            place = last.place
        } else {
            guard holds(key) else { return false }
            if let known = pages[page] {
                place = Int(known)
            } else {
                while pages.count >= most, holds(key) { shrink() }
                guard holds(key) else { return false }
                place = words.count / Self.pageWords
                pages[page] = Int32(truncatingIfNeeded: place)
                words.append(contentsOf: repeatElement(0, count: Self.pageWords))
            }
            last = (page, place)
        }
        let bit = Int(key % Self.pageBits)
        let word = place * Self.pageWords + bit / 64
        let mask: UInt64 = 1 << UInt64(bit % 64)
        let isKnown = words[word] & mask != 0
        words[word] |= mask
        return isKnown
    }

    /// Looks at half of the pages from now on.
    mutating func shrink() {
        last = nil
        range = range.lowerBound...(range.lowerBound + (range.upperBound - range.lowerBound) / 2)
        var kept: [UInt64: Int32] = [:]
        var bits: [UInt64] = []
        for (page, place) in pages where range.contains(page * Self.pageBits) {
            let start = Int(place) * Self.pageWords
            kept[page] = Int32(truncatingIfNeeded: bits.count / Self.pageWords)
            bits += words[start..<start + Self.pageWords]
        }
        (pages, words) = (kept, bits)
    }

    /// Goes on with the pages that have not been looked at; whether there are any.
    mutating func goOn() -> Bool {
        (pages, words, last) = ([:], [], nil)
        guard range.upperBound < .max else { return false }
        range = range.upperBound + 1...UInt64.max
        return true
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
        let key =
            cell.count <= 16
            ? (cell.word(at: 0), cell.word(at: 8), cell.count) : (StableHash(cell.buffer).value, 0, cell.count)
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
