import CKernel
public import Headroom

/// What an account looked like when it could last be looked at, kept for when it cannot.
public struct AccountSnapshot: Sendable, Hashable {
    /// When it was taken, in seconds since 1970.
    public var takenAt: Double

    /// The account as the server knows it.
    public var account: String

    /// The server's version.
    public var serverVersion: String

    /// The limit.
    public var limit: Int?

    /// Where the limit came from.
    public var limitSource: String

    /// The most connections of the whole server.
    public var serverLimit: Int?

    /// The connections in use.
    public var used: Int

    /// The longest idle of its sessions, 100 at most.
    public var sessions: [Entry]

    /// The other ways in.
    public var ports: ServerPorts

    /// A session of the account.
    public struct Entry: Sendable, Hashable, Encodable {
        /// The session's id.
        public var id: UInt64
        /// The client's program, when it was known.
        public var program: String?
        /// The client's process, when it was known.
        public var pid: Int?
        /// The client's host.
        public var host: String
        /// What the session was doing.
        public var command: String
        /// For how long.
        public var seconds: Double
    }

    /// Takes a snapshot.
    ///
    /// - Parameters:
    ///   - report: What the account looks like; `nil` is returned when that could not be seen.
    ///   - ports: The server's ports.
    public init?(_ report: AccountReport, ports: ServerPorts) {
        guard let account = report.account, let used = report.used else { return nil }
        takenAt = Self.now
        self.account = account
        serverVersion = report.serverVersion ?? ""
        limit = report.limit.value
        limitSource = report.limit.source.rawValue
        serverLimit = report.server?.limit
        self.used = used
        self.ports = ports
        sessions = report.sessions.filter { $0.isOfAccount && !$0.isOwn }.prefix(100)
            .map { session in
                let (seconds, attoseconds) = session.duration.components
                return Entry(
                    id: session.id,
                    program: session.program,
                    pid: session.processID,
                    host: session.host,
                    command: session.command,
                    seconds: Double(seconds) + Double(attoseconds) / 1e18
                )
            }
    }

    /// How long ago it was taken.
    public var age: Duration { .seconds(clamped: max(0, Self.now - takenAt)) }

    /// Reads the snapshot that is kept for the account; `nil` when there is none, or none that can be understood.
    ///
    /// - Parameter settings: The settings that lead to the account.
    /// - Returns: The snapshot.
    public static func last(_ settings: DatabaseSettings) -> AccountSnapshot? {
        AccountNotes(settings, topic: "snapshot").text.flatMap(AccountSnapshot.init(text:))
    }

    /// Keeps the snapshot in the place of the last one.
    ///
    /// One that says the same as one of the last seconds, but for what the sessions do, is not: who looks each second needs not
    /// write each second.
    ///
    /// - Parameter settings: The settings that lead to the account.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    public func keep(_ settings: DatabaseSettings) throws {
        if var last = Self.last(settings), (0..<5).contains(takenAt - last.takenAt) {
            (last.takenAt, last.sessions) = (takenAt, sessions)
            if last == self { return }
        }
        try AccountNotes(settings, topic: "snapshot").keep(text)
    }

    /// This host's clock, in seconds since 1970.
    private static var now: Double { Double(kernel_time_of_day()) / 1e9 }
}

extension Connection {
    /// Keeps what was just seen of this connection's account, and where its server listens.
    func keepSnapshot(_ report: AccountReport, _ settings: DatabaseSettings) async throws {
        try AccountSnapshot(report, ports: await serverPorts())?.keep(settings)
    }
}
