// TIME: from -838:59:59 to 838:59:59, in microseconds.

extension Duration: SQLDecodable, SQLEncodable {
    /// Creates a span of time from a TIME, or its text, which may be negative and longer than a day.
    public init?(cell: Cell) {
        guard let bytes = cell.bytes, cell.type == .time || cell.type.isText else { return nil }
        var scanner = DigitScanner(bytes)
        let isNegative = scanner.skip("-")
        guard let hours = scanner.number(digits: 1...3), scanner.skip(":"),
            let minutes = scanner.number(digits: 2...2), minutes < 60, scanner.skip(":"),
            let seconds = scanner.number(digits: 2...2), seconds < 60,
            let microseconds = scanner.microseconds(), scanner.isAtEnd
        else { return nil }
        let span = Duration.seconds(hours * 3600 + minutes * 60 + seconds) + .microseconds(microseconds)
        self = isNegative ? .zero - span : span
    }

    /// The span as the text of a TIME, to the nearest microsecond; `unstorable` beyond 838:59:59.
    public var sqlValue: SQLValue {
        let (seconds, attoseconds) = components
        guard seconds.magnitude < 3_020_400 else {
            return .unstorable("A TIME has up to 838:59:59, and this span is longer.")
        }
        let microsecond: Int64 = 1_000_000_000_000
        let rounded = (attoseconds.magnitude + UInt64(microsecond / 2)) / UInt64(microsecond)
        let total = seconds.magnitude * 1_000_000 + rounded
        guard total < 3_020_400 * 1_000_000 else {
            return .unstorable("A TIME has up to 838:59:59, and this span is longer.")
        }
        var text = self < .zero ? "-" : ""
        let whole = Int(total / 1_000_000)
        text.append(number: whole / 3600, digits: 2)
        text.append(":")
        text.append(number: whole / 60 % 60, digits: 2)
        text.append(":")
        text.append(number: whole % 60, digits: 2)
        text.append(".")
        text.append(number: Int(total % 1_000_000), digits: 6)
        return .text(text)
    }
}
