extension Duration {
    /// Creates a duration from what people write: `30`, `0.5` (seconds), `500ms`, `90s`, `5m`, `2h`, `1d`; at most 1,000,000,000 s.
    public init?(text: String) {
        let number = text.utf8.prefix {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".")
        }
        let units: [String: Double] = ["": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = units[String(text[number.endIndex...])], let count = Double(Substring(number)) else {
            return nil
        }
        let seconds = count * unit
        // 31 years: as nanoseconds it fits into an Int64, whatever is added to it.
        guard seconds <= 1_000_000_000 else { return nil }
        self = .seconds(seconds)
    }
}
