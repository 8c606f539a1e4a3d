import Headroom

/// What goes through a front door at one moment, as its HAProxy counts it.
public struct FrontDoorReport: Sendable, Equatable {
    /// How many connections to the server it may hold; `nil` when it does not say.
    public var places: Int?

    /// How many it holds.
    public var used: Int

    /// The most that it has held at a time.
    public var mostUsed: Int

    /// How many clients wait for a place.
    public var waiting: Int

    /// The most that have waited at a time.
    public var mostWaiting: Int

    /// How many connections to the server it has made since it was started.
    public var total: Int

    /// Creates a report.
    public init(places: Int?, used: Int, mostUsed: Int, waiting: Int, mostWaiting: Int, total: Int) {
        self.places = places
        self.used = used
        self.mostUsed = mostUsed
        self.waiting = waiting
        self.mostWaiting = mostWaiting
        self.total = total
    }

    /// Reads what HAProxy answers to `show stat`: a table of comma-separated values whose first line names the columns.
    ///
    /// `nil` when it has no front door of ours. Clients wait in the server's queue or in the proxy's own, the backend's line.
    ///
    /// - Parameter text: The answer.
    init?(statistics text: String) {
        let lines = text.pieces(where: \.endsLine)
            .map { $0.pieces(separator: ",", omittingEmptySubsequences: false) }
        guard let header = lines.first, header.first == "# pxname" else { return nil }
        func number(_ line: [Substring], _ name: String) -> Int? {
            guard let column = header.firstIndex(where: { $0 == name }), line.indices.contains(column) else {
                return nil
            }
            return Int(line[column])?.asCount
        }
        let own = lines.dropFirst().filter { $0.count > 1 && $0[0] == HAProxyConfiguration.name }
        // One line for each node; all but one hold nothing, or what is left of before the last change.
        let servers = own.filter { $0[1].begins(with: HAProxyConfiguration.serverName(0)) }
        let used = servers.compactMap { number($0, "scur") }
        guard let backend = own.first(where: { $0[1] == "BACKEND" }), !used.isEmpty else { return nil }
        func most(_ name: String) -> Int { servers.compactMap { number($0, name) }.max() ?? 0 }
        self.init(
            places: servers.compactMap { number($0, "slim") }.max(),
            used: used.reduce(0, +),
            mostUsed: max(most("smax"), used.max() ?? 0),
            waiting: max(number(backend, "qcur") ?? 0, most("qcur")),
            mostWaiting: max(number(backend, "qmax") ?? 0, most("qmax")),
            total: servers.compactMap { number($0, "stot") }.reduce(0, +)
        )
    }

    /// Asks a front door.
    ///
    /// - Parameters:
    ///   - path: The path of its statistics socket.
    ///   - timeout: How long it may take.
    /// - Returns: What it says.
    /// - Throws: ``DatabaseError`` with `socketNotFound`, `socketNotPermitted` or `serverUnreachable`.
    public static func ask(_ path: String, timeout: Duration = .seconds(1)) async throws -> FrontDoorReport {
        let answer = try await LocalQuestion(path).ask("show stat\n", until: .now + timeout)
        guard let report = FrontDoorReport(statistics: answer) else {
            throw DatabaseError(
                .serverUnreachable,
                message: "What answers at \(path) is no front door of 'headroom deploy haproxy'.",
                advice: "Check HEADROOM_FRONT_DOOR_STATS, and that HAProxy runs with the configuration it was given."
            )
        }
        return report
    }
}
