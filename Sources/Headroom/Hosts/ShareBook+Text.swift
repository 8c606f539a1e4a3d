/// The book as the database keeps it: a line for each host, its numbers, its name, and what a later version adds behind it.
extension ShareBook {
    /// The book as text.
    var text: String {
        entries.map { entry in
            let numbers = [
                Int64(entry.share), Int64(entry.inUse), Int64(entry.wanted), entry.expires, entry.since,
                Int64(entry.budget), Int64(entry.setAside), entry.clockError,
            ]
            let name = Escaping.line(entry.name).replaced("\t", with: " ")
            return ([entry.host] + numbers.map(String.init) + [name]).joined(separator: "\t") + entry.further
        }
        .joined(separator: "\n")
    }

    /// Reads a book.
    ///
    /// - Returns: The book; `nil` when the text is not one, or a number in it cannot be: the row may have been written by
    ///   anybody who has the account.
    init?(text: String) {
        for line in text.pieces(separator: "\n") {
            let fields = line.pieces(separator: "\t", omittingEmptySubsequences: false)
            let numbers = fields.dropFirst().prefix(8).compactMap { Int64($0) }
            let counts = [numbers.prefix(3), numbers.dropFirst(5).prefix(2)].joined()
            guard fields.count >= 10, numbers.count == 8, let host = fields.first,
                entries.count < Self.mostHosts, counts.allSatisfy({ (0...Self.mostConnections).contains($0) }),
                numbers[3...4].allSatisfy({ (0...Self.lastMoment).contains($0) })
            else { return nil }
            entries.append(
                Entry(
                    host: String(host),
                    share: Int(numbers[0]),
                    inUse: Int(numbers[1]),
                    wanted: Int(numbers[2]),
                    expires: numbers[3],
                    since: numbers[4],
                    budget: Int(numbers[5]),
                    setAside: Int(numbers[6]),
                    clockError: numbers[7],
                    name: String(fields[9]),
                    further: fields.dropFirst(10).map { "\t\($0)" }.joined()
                )
            )
        }
    }
}
