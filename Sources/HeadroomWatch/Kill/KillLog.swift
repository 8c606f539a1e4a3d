import Glibc
import Headroom

/// A file with one line for each action on a session, to which lines are only ever added.
public final class KillLog: Sendable {
    private let descriptor: Int32
    private let path: String

    /// Opens the file, and makes it when there is none; only its user and group may read it.
    ///
    /// It is a regular file with one name: a link is not followed, as root often writes here, and others may write to the folder.
    /// What root makes in another user's folder is that user's.
    ///
    /// - Parameter path: The file's path.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it cannot be written to: what cannot be written down is not
    ///   to be done.
    public init(_ path: String) throws {
        self.path = path
        do throws(RegularFile.Problem) {
            descriptor = try RegularFile.open(path, O_WRONLY | O_APPEND | O_CREAT, mode: 0o640)
        } catch {
            throw Self.failure(path, error)
        }
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
        let line = Self.line(outcome, account: account, policy: policy, at: LogLine.time(), process: getpid()) + "\n"
        // One write a line: the kernel keeps lines of several writers apart.
        let written = Array(line.utf8).withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == line.utf8.count else { throw Self.failure(path, .system(written < 0 ? errno : ENOSPC)) }
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
        return LogLine.text(words)
    }

    private static func failure(_ path: String, _ problem: RegularFile.Problem) -> DatabaseError {
        DatabaseError(
            .settingsInvalid,
            message: "The log \(path) cannot be written: \(problem).",
            advice: (problem.advice.map { "\($0) Or name" } ?? "Name")
                + " another file with --log; no session is ended without its line."
        )
    }
}
