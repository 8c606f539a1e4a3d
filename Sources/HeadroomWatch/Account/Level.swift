/// How near an account is to its limit.
public enum Level: String, Sendable, Hashable, CaseIterable {
    /// At most 60 % of the limit is in use.
    case ok = "OK"
    /// Over 60 % is in use.
    case caution = "CAUTION"
    /// Over 80 % is in use.
    case warning = "WARNING"
    /// The account or the server refuses further connections.
    case exhausted = "EXHAUSTED"
    /// It could not be found out.
    case unknown = "UNKNOWN"

    /// Judges the use of a limit; exactly 60 % is OK, exactly 80 % is CAUTION.
    ///
    /// - Parameters:
    ///   - used: The connections in use, without the one that looks.
    ///   - limit: The limit; `nil` or 0 when there is none to judge by.
    public init(used: Int, limit: Int?) {
        guard let limit, limit > 0 else {
            self = .unknown
            return
        }
        // In whole numbers, so that 60.0 % is never 60.000001 %.
        if used * 100 > limit * 80 {
            self = .warning
        } else if used * 100 > limit * 60 {
            self = .caution
        } else {
            self = .ok
        }
    }

    /// The level while somebody waits for a place: CAUTION from a second on, WARNING from five, after which a door sends away.
    func raised(by line: WaitingLine?) -> Level {
        guard let line, line.longest >= .seconds(1) else { return self }
        let level = line.longest < .seconds(5) ? Level.caution : .warning
        return level.severity > severity ? level : self
    }

    /// The exit code of `headroom status`, which makes it a monitoring plugin: 0, 1, 2, or 3 for unknown.
    public var exitCode: Int32 {
        switch self {
        case .ok: 0
        case .caution: 1
        case .warning, .exhausted: 2
        case .unknown: 3
        }
    }
}
