public import Headroom

/// The configuration of a HAProxy that lets any program's connections in at their share of the budget, one after the other.
public struct HAProxyConfiguration: Sendable {
    /// Where the server listens.
    public var server: Endpoint

    /// Further nodes of a Galera cluster, each of which takes over, in their order, when those before it take no statements.
    public var otherServers: [Endpoint]

    /// The account without a password by which HAProxy asks each of several nodes whether it takes statements.
    public var checkUser: String

    /// Where programs are to connect instead.
    public var door: Endpoint

    /// How many connections to the server it may hold.
    public var places: Int

    /// How long a client waits for a place before its connection is closed.
    public var wait: Duration

    /// After how long a connection on which nobody says anything is closed; also the longest that a statement may be silent.
    public var idle: Duration

    /// How many clients it serves at a time, waiting ones included.
    public var clients: Int

    /// The path of the socket that tells its statistics.
    public var statistics: String

    /// Creates a configuration.
    public init(
        server: Endpoint,
        otherServers: [Endpoint] = [],
        checkUser: String = "headroom_check",
        door: Endpoint,
        places: Int,
        wait: Duration = .seconds(30),
        idle: Duration = .seconds(60),
        clients: Int = 1000,
        statistics: String
    ) {
        self.server = server
        self.otherServers = otherServers
        self.checkUser = checkUser
        self.door = door
        self.places = places
        self.wait = wait
        self.idle = idle
        self.clients = clients
        self.statistics = statistics
    }

    /// The name of the proxy in its statistics.
    static let name = "headroom_front_door"

    /// The file's text.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` for a path or a host that the file's language cannot hold.
    public func text() throws -> String {
        for word in ([server, door] + otherServers).map(Self.address) + [statistics, checkUser] {
            guard word.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !word.contains(where: { "\"'\\#".contains($0) })
            else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "'\(word)' has a character that HAProxy's configuration cannot hold.",
                    advice: "Use a path, host or name of plain characters, without blanks, quotes, backslashes and '#'."
                )
            }
        }
        let mode = door.isSocket ? " mode 666" : ""
        return """
            # A front door to \(server) for programs that cannot be changed: written by 'headroom deploy haproxy'.
            #
            # Programs connect to \(door) instead of the server, and wait there for one of \(places) places.
            # What else uses the account through Headroom must know of them:
            #
            #     HEADROOM_FRONT_DOOR=\(places)
            #     HEADROOM_FRONT_DOOR_STATS=\(statistics)

            global
                maxconn \(clients + 10)
                # Counts, for 'headroom status'. Anyone on this host may read them, and do nothing else.
                stats socket \(statistics) mode 666 level user
                stats timeout 5s

            defaults
                mode tcp
                timeout connect 5s

            listen \(Self.name)
                bind \(Self.address(door))\(mode)
                maxconn \(clients)
                # A client that has gone away while it waited is not let in.
                option abortonclose
                # Dead clients are noticed, as no timeout but the idle one ends a connection.
                option clitcpka
                # How long a client waits for a place; then its connection is closed before the server has greeted it.
                timeout queue \(Self.time(wait))
                # HAProxy cannot tell an idle client from a long statement, nor a transaction from none.
                timeout client \(Self.time(idle))
                timeout server \(Self.time(idle))
            \(servers.map { "    \($0)" }.joined(separator: "\n"))

            """
    }

    /// The lines that say where connections go.
    private var servers: [String] {
        guard !otherServers.isEmpty else {
            return [
                "# No check: each would be a broken login to the server, which blocks hosts that have too many.",
                "server database \(Self.address(server)) maxconn \(places)",
            ]
        }
        let nodes = ([server] + otherServers).enumerated()
            .map { index, node in
                "server \(Self.serverName(index)) \(Self.address(node)) maxconn \(places)\(index > 0 ? " backup" : "")"
            }
        return NodeCheck(user: checkUser).lines + [
            "# One node serves all, so that transactions meet on one; the next one takes over when it takes no statements.",
            "# What was open is closed then: a node that is cut off would keep its clients waiting.",
            "default-server check inter 2s fall 2 rise 2 on-marked-down shutdown-sessions",
        ] + nodes
    }

    /// The name of a node's line, by which the statistics are read.
    static func serverName(_ index: Int) -> String { index == 0 ? "database" : "database\(index + 1)" }

    private static func address(_ endpoint: Endpoint) -> String {
        switch endpoint {
        case .socket(let path): "unix@\(path)"
        case .tcp(let host, let port): host.holds(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    private static func time(_ duration: Duration) -> String {
        "\(max(1, Int(clamped: (duration / .milliseconds(1)).rounded(.up))))ms"
    }
}
