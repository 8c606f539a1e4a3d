/// Decides what a session is told about how long it may last, so that the server ends it should its client not do so.
///
/// Four things: how long it may do nothing (a leaked connection ends by itself), how long a transaction may do nothing
/// (MariaDB only; MySQL has no such limit), how long a statement may wait for another session's lock, and how long it may take.
/// The last follows the deadlines of scope and statement, a little later than the client's own: it frees the account's place
/// where no KILL gets in.
struct SessionLimits {
    private let isMariaDB: Bool
    private let idle: Duration

    /// The name of a lock that shows whose session it is, where several hosts share the account.
    private let mark: String?

    /// The longest that the session lets a statement take; `nil` for ever.
    private(set) var statement: Duration?

    /// The longest that a statement waits for a lock, of a row, a table or the whole server; `nil` for the server's own time,
    /// which is a day or a year for a table.
    private(set) var lockWait: Duration?

    init(isMariaDB: Bool, idle: Duration, mark: String? = nil) {
        self.isMariaDB = isMariaDB
        self.idle = idle
        self.mark = mark
    }

    /// What a new session is told.
    ///
    /// - Parameter scope: How long its scope may take.
    /// - Returns: The statement.
    mutating func beginning(scope: Duration?) -> String {
        statement = scope.map(Self.withGrace)
        let seconds = max(1, idle.seconds.rounded(.up))
        var settings = Self.state(isMariaDB: isMariaDB)
        settings.append("wait_timeout = \(Int(clamped: seconds))")
        if isMariaDB { settings.append("idle_transaction_timeout = \(Int(clamped: seconds))") }
        if statement != nil { settings += statementSettings }
        settings = settings.map { "SESSION \($0)" }
        if let mark { settings.append("@headroom_mark = GET_LOCK('\(mark)', 0)") }
        // NAMES must come first: after SET SESSION it is no keyword.
        return "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, \(settings.joined(separator: ", "))"
    }

    /// What statements rely on, whatever a server's defaults and its `init_connect` are.
    ///
    /// That each commits by itself, what a string is, and that a value that does not fit is refused. The SQL modes are those of a
    /// server that nobody has set up.
    ///
    /// The time zone and the isolation level stay the server's: our own statements count in UTC, and decide by conditions in
    /// statements that lock.
    private static func state(isMariaDB: Bool) -> [String] {
        let modes = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
        let more = isMariaDB ? "" : "ONLY_FULL_GROUP_BY,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
        return ["autocommit = 1", "sql_mode = '\(more)\(modes)'"]
    }

    /// What the session is to be told before a statement with this deadline; `nil` when what it knows will do.
    ///
    /// A limit of up to twice what is needed, and a second, will do: statements with like timeouts cost one round trip in all.
    mutating func change(for left: Duration?) -> String? {
        guard let left else {
            guard statement != nil else { return nil }
            statement = nil
            return "SET SESSION \(statementSettings.joined(separator: ", "))"
        }
        let needed = Self.withGrace(left)
        if let statement, statement >= left, statement <= needed * 2 + .seconds(1) { return nil }
        statement = needed
        return "SET SESSION \(statementSettings.joined(separator: ", "))"
    }

    /// What the session is to be told before statements that wait no longer than this for a lock; `nil` when it knows that.
    ///
    /// The servers count in whole seconds, from 1.
    mutating func change(lockWait time: Duration?) -> String? {
        guard time != lockWait else { return nil }
        lockWait = time
        let table = lockWait.map { "\(Self.wholeSeconds($0))" } ?? "DEFAULT"
        return "SET SESSION lock_wait_timeout = \(table), innodb_lock_wait_timeout = \(rowLockWait)"
    }

    private var rowLockWait: String {
        let times = [lockWait, isMariaDB ? nil : statement].compactMap(\.self)
        return times.min().map { "\(Self.wholeSeconds($0))" } ?? "@@global.innodb_lock_wait_timeout"
    }

    private static func wholeSeconds(_ time: Duration) -> Int {
        Int(clamped: min(max(1, time.seconds.rounded(.up)), 2_592_000))
    }

    /// The client gives up first, and has the session ended at once; this is for when it cannot.
    private static func withGrace(_ duration: Duration) -> Duration {
        // A month is for ever, and no server takes much more.
        let duration = min(max(duration, .zero), .seconds(2_592_000))
        return duration + duration / 10 + .milliseconds(500)
    }

    private var statementSettings: [String] {
        let milliseconds = statement.map { Int(clamped: ($0.seconds * 1_000).rounded(.up)) } ?? 0
        if isMariaDB {
            let fraction = String(milliseconds % 1_000 + 1_000).dropFirst()
            return ["max_statement_time = \(milliseconds / 1_000).\(fraction)"]
        }
        // MySQL's limit is for SELECT only (its manual); what else takes long waits for a row lock.
        return ["max_execution_time = \(milliseconds)", "innodb_lock_wait_timeout = \(rowLockWait)"]
    }
}

extension Duration {
    /// The duration in seconds, with a fraction.
    fileprivate var seconds: Double {
        Double(components.seconds) + Double(components.attoseconds) / 1e18
    }
}
