extension Duration {
    /// Creates a duration from what people write: `30`, `0.5` (seconds), `500ms`, `90s`, `5m`, `2h`, `1d`.
    public init?(text: String) {
        let number = text.prefix { $0.isNumber || $0 == "." }
        let units: [Substring: Double] = ["": 1, "ms": 0.001, "s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let unit = units[text[number.endIndex...]], let count = Double(number), count.isFinite else { return nil }
        let seconds = count * unit
        guard seconds < 1_000_000_000_000 else { return nil }
        self = .seconds(seconds)
    }
}
