import Glibc
import Headroom

/// A file with one line for each action on a session, to which lines are only ever added.
public final class KillLog: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Opens the file, and makes it when there is none; only its user and group may read it.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it cannot be written to: what cannot be written down is not
    ///   to be done.
    public init(_ path: String) throws {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o640)
        self.path = path
        guard descriptor >= 0 else { throw Self.failure(path, errno) }
    }

    deinit {
        close(descriptor)
    }

    /// Adds a line about what became of a session.
    ///
    /// - Parameters:
    ///   - outcome: What became of it.
    ///   - account: The account that did it, as the server knows it.
    ///   - policy: The rule by which it was chosen.
    /// - Throws: ``DatabaseError`` when the line could not be written.
    public func write(_ outcome: KillReport.Outcome, account: String?, policy: KillPolicy) throws {
        let line = Self.line(outcome, account: account, policy: policy, at: Self.now(), process: getpid()) + "\n"
        // One write a line: the kernel keeps lines of several writers apart.
        let written = Array(line.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == line.utf8.count else { throw Self.failure(path, written < 0 ? errno : ENOSPC) }
    }

    /// A line: words with values, as log readers take them apart (logfmt).
    static func line(
        _ outcome: KillReport.Outcome,
        account: String?,
        policy: KillPolicy,
        at time: String,
        process: Int32
    ) -> String {
        let session = outcome.session
        let milliseconds =
            session.duration.components.seconds * 1000
            + session.duration.components.attoseconds / 1_000_000_000_000_000
        let words: [(String, String?)] = [
            ("time", time), ("action", outcome.result.rawValue), ("reason", outcome.reason?.rawValue),
            ("session", "\(session.id)"), ("user", session.user), ("host", session.host),
            ("database", session.database), ("program", session.program),
            ("client_pid", session.processID.map(String.init)), ("command", session.command),
            ("for_ms", "\(milliseconds)"),
            ("in_transaction", session.inTransaction.map { $0 ? "yes" : "no" } ?? "unknown"),
            ("max_idle_s", "\(policy.maxIdle.components.seconds)"), ("by", account), ("pid", "\(process)"),
        ]
        return words.compactMap { name, value in value.map { "\(name)=\(quoted($0))" } }.joined(separator: " ")
    }

    /// A value as it is when it is plain; else in quotes, and never with the end of a line in it: clients name themselves.
    private static func quoted(_ value: String) -> String {
        let isPlain =
            !value.isEmpty && value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x3D && $0 != 0x5C }
        if isPlain { return value }
        var text = "\""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\"", "\\": text += "\\\(scalar)"
            case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): text += "?"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return text + "\""
    }

    /// The time in UTC, to the millisecond, as RFC 3339 has it.
    private static func now() -> String {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        var parts = tm()
        gmtime_r(&time.tv_sec, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = "\(number)"
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))T"
            + "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))."
            + "\(padded(time.tv_nsec / 1_000_000, 3))Z"
    }

    private static func failure(_ path: String, _ number: Int32) -> DatabaseError {
        DatabaseError(
            .settingsInvalid,
            message: "The log \(path) cannot be written: \(String(cString: strerror(number))).",
            advice: "Name another file with --log; no session is ended without its line."
        )
    }
}
