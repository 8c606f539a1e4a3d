/// Who of this host holds connections to the server, found without a connection.
public struct HostView: Sendable {
    /// The processes that hold connections, those with the most first.
    public var processes: [HostProcess]

    /// Connections whose process cannot be seen, by their user.
    public var hidden: [Hidden]

    /// The number of connections from other hosts and from containers, by address; `unix socket` for those without.
    public var elsewhere: [String: Int]

    /// Whether something listens where the server should; `nil` when that cannot be seen from here.
    public var isListening: Bool?

    /// The systemd unit of a database server on this host; `nil` when none is seen.
    public var serverUnit: String?

    /// What could not be seen, and why, in sentences for people.
    public var blindSpots: [String]

    /// Connections of a user whose process cannot be seen.
    public struct Hidden: Sendable, Hashable {
        /// The user; `nil` when the kernel does not tell.
        public var user: UInt32?
        /// The user's name.
        public var userName: String?
        /// How many connections.
        public var count: Int
        /// The silences of those over TCP, the longest first.
        public var silences: [Duration]
        /// That user's processes that may not be looked into; one or more of them hold the connections.
        public var suspects: [HostProcess]
    }

    /// Creates a view.
    public init(
        processes: [HostProcess] = [],
        hidden: [Hidden] = [],
        elsewhere: [String: Int] = [:],
        isListening: Bool? = nil,
        blindSpots: [String] = []
    ) {
        self.processes = processes
        self.hidden = hidden
        self.elsewhere = elsewhere
        self.isListening = isListening
        self.blindSpots = blindSpots
    }

    /// The number of connections that were found, without our own.
    public var count: Int {
        processes.reduce(0) { $0 + ($1.isOurs ? 0 : $1.sockets.count) } + hidden.reduce(0) { $0 + $1.count }
            + elsewhere.values.reduce(0, +)
    }
}
