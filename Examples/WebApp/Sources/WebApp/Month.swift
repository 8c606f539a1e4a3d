/// A month of a year, as a query names it: `2025-01`.
struct Month {
    /// Its first day and the first day after it, as the database writes dates.
    let first: String
    let next: String

    /// Reads a month; `nil` for anything else.
    init?(_ text: some StringProtocol) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].count == 4, parts[1].count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), (1000...9998).contains(year), (1...12).contains(month)
        else { return nil }
        func firstDay(_ year: Int, _ month: Int) -> String { "\(year)-\(month < 10 ? "0" : "")\(month)-01" }
        first = firstDay(year, month)
        next = month == 12 ? firstDay(year + 1, 1) : firstDay(year, month + 1)
    }
}
