/// The text of a statement while it is put together, byte by byte: most of an import's own time goes here.
struct RowText {
    private var bytes: [UInt8] = []

    init(capacity: Int) {
        bytes.reserveCapacity(capacity)
    }

    /// The text.
    var string: String { String(decoding: bytes, as: UTF8.self) }

    mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    mutating func append(_ number: Int) {
        if number < 0 { bytes.append(UInt8(ascii: "-")) }
        bytes.append(digits: number.magnitude)
    }

    /// Appends items with commas between them.
    mutating func append<Item>(list items: [Item], _ append: (inout RowText, Item) -> Void) {
        var isFirst = true
        for item in items {
            if !isFirst { bytes.append(UInt8(ascii: ",")) }
            isFirst = false
            append(&self, item)
        }
    }

    /// Appends a date such as `2012-01-31`.
    mutating func append(_ date: CalendarDate) {
        let (year, month, day) = date.components
        bytes.append(two: year / 100)
        bytes.append(two: year % 100)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(two: month)
        bytes.append(UInt8(ascii: "-"))
        bytes.append(two: day)
    }

    /// Appends a time such as `00:30:00`.
    mutating func append(secondsOfDay seconds: Int) {
        bytes.append(two: seconds / 3600)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(two: seconds % 3600 / 60)
        bytes.append(UInt8(ascii: ":"))
        bytes.append(two: seconds % 60)
    }

    /// Appends a number with three decimals, such as `-0.125`.
    mutating func append(thousandths: Int64) {
        bytes.append(thousandths: thousandths)
    }

    /// Appends a comma and the type in quotes.
    mutating func append(type: ReadingType) {
        switch type {
        case .actual: append(",'actual'")
        case .estimated: append(",'estimated'")
        case .manual: append(",'manual'")
        }
    }
}

extension [UInt8] {
    /// Appends a number with three decimals, such as `-0.125`.
    mutating func append(thousandths: Int64) {
        if thousandths < 0 { append(UInt8(ascii: "-")) }
        let magnitude = UInt(thousandths.magnitude)
        append(digits: magnitude / 1000)
        append(UInt8(ascii: "."))
        let decimals = Int(magnitude % 1000)
        append(UInt8(ascii: "0") + UInt8(decimals / 100))
        append(two: decimals % 100)
    }

    fileprivate mutating func append(two number: Int) {
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number / 10))
        append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: number % 10))
    }

    fileprivate mutating func append(digits number: UInt) {
        let begin = count
        var rest = number
        repeat {
            append(UInt8(ascii: "0") + UInt8(rest % 10))
            rest /= 10
        } while rest > 0
        self[begin...].reverse()
    }
}
