import Synchronization

/// A database, reached with one account; opens a connection for each scope and closes it again.
///
/// Creating one opens nothing. For example:
///
/// ```swift
/// let settings = try SettingsSources(environment: ProcessInfo.processInfo.environment).load()
/// let database = Database(settings.database)
/// let names = try await database.withConnection { connection in
///     try await connection.query("SELECT name FROM sites WHERE is_active = \(true)").decode(String.self)
/// }
/// ```
public final class Database: Sendable {
    /// Where the database is and who logs in.
    public let settings: DatabaseSettings

    private let draining = Draining()

    /// Whether the last connection was made without the server offering encryption, so that the next connect has no
    /// trust store to read.
    private let lastWasPlain = Atomic(false)

    /// Creates a database from its settings.
    public init(_ settings: DatabaseSettings) {
        self.settings = settings
    }

    /// The number of sessions that were given up in the middle of a statement and that the server has not let go yet.
    ///
    /// 0 in normal use: closing waits until the server has let go.
    public var drainingSessions: Int { draining.count }

    /// Opens a connection, runs the body with it, and closes it before it returns, on every path.
    ///
    /// Closing is confirmed: the server has hung up, so that the next connection finds the place free even at a limit of 1.
    /// When a statement is given up in the middle (cancellation, deadline), its session is ended on the server by a KILL
    /// from a second connection. Where none is to be had the session drains: the call returns without it, and
    /// ``drainingSessions`` counts it until it is gone.
    ///
    /// - Parameters:
    ///   - timeout: How long the scope may take; by default as long as the body does. At the deadline a statement under
    ///     way throws `deadlineExceeded`, and an idle connection is closed under the body: its next use throws.
    ///   - body: What to do with the connection, which must not be kept beyond it.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabaseError`` when no connection can be had, `CancellationError` when the task is cancelled before
    ///   there is one, or what the body throws.
    @discardableResult
    public func withConnection<Result>(
        timeout: Duration? = nil,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        let connection = try await open(until: timeout.map { .now + $0 })
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }

    private func open(until deadline: ContinuousClock.Instant?) async throws -> Connection {
        let own = ContinuousClock.now + settings.connectTimeout
        let limits = Limits(deadline: min(own, deadline ?? own))
        let client: Client
        do {
            client = try await Client.connect(settings, limits: limits, mayBlock: connectMayBlock)
        } catch let error as DatabaseError where error.code == .connectTimedOut && limits.deadline == deadline {
            throw DatabaseError(
                .deadlineExceeded,
                message: "The scope's deadline passed before there was a connection to \(settings.endpoint).",
                advice: error.advice
            )
        }
        lastWasPlain.store(!client.isEncrypted, ordering: .relaxed)
        return Connection(client: client, core: .init(settings: settings, draining: draining), deadline: deadline)
    }

    /// Whether connecting may block a thread: to resolve a name, or to read a trust store for TLS.
    private var connectMayBlock: Bool {
        guard case .tcp(let host, _) = settings.endpoint else { return false }
        if !isAddress(host) { return true }
        return settings.tls.mode != .disabled && !lastWasPlain.load(ordering: .relaxed)
    }
}
