import ArgumentParser
import CommandSupport
import Headroom
import HeadroomWatch

/// `headroom deploy haproxy`: a front door for programs that cannot be changed.
struct DeployHAProxy: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "haproxy",
        abstract: "Writes the configuration of a HAProxy that queues any program's connections.",
        discussion: """
            Programs connect to the front door instead of the server, and wait there for one of its places. The places are \
            taken out of the budget that the slots share: put the two settings at the top of the file where every program \
            that uses Headroom finds them. docs/front-door.md says what clients see, and when not to do this.

            Where DB_HOST names several nodes of a Galera cluster, one of them serves all, and the next one takes over when it \
            takes no statements. HAProxy asks each of them every two seconds, as an account that may log in without a \
            password and has no rights: --check-user.

            Examples:
              headroom deploy haproxy --places 4 > /etc/haproxy/haproxy.cfg
              headroom deploy haproxy --places 4 --listen /run/headroom/door.sock --idle 20s
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How many connections of the account's limit the front door may hold.")
    var places: Int

    @Option(help: ArgumentHelp("Where programs connect: HOST:PORT or the path of a socket.", valueName: "place"))
    var listen = "127.0.0.1:3307"

    @Option(help: ArgumentHelp("How long a client waits for a place.", valueName: "duration"))
    var wait = DurationArgument(.seconds(30))

    @Option(
        help: ArgumentHelp(
            "After how long of silence a connection is closed; also the longest that a statement may take.",
            valueName: "duration"
        )
    )
    var idle = DurationArgument(.seconds(60))

    @Option(help: "How many clients it serves at a time, waiting ones included.")
    var clients = 1000

    @Option(
        help: ArgumentHelp(
            "The account without a password by which several nodes are asked whether they take statements.",
            valueName: "name"
        )
    )
    var checkUser = "headroom_check"

    @Option(help: ArgumentHelp("The socket for its statistics.", valueName: "path"))
    var statistics = "/run/headroom/front-door.sock"

    func validate() throws {
        guard places >= 1, clients >= places else {
            throw ValidationError("--places must be at least 1, and --clients at least as many.")
        }
        guard idle.value >= wait.value else {
            throw ValidationError(
                "--idle must be at least as long as --wait: to HAProxy a client that waits is silent."
            )
        }
        guard statistics.begins(with: "/") else { throw ValidationError("--statistics must be an absolute path.") }
        guard door != nil else { throw ValidationError("--listen must be HOST:PORT or an absolute path.") }
    }

    func run() async throws {
        try await runCommand {
            let settings = try connection.settings(program: "headroom deploy")
            try check(settings)
            adviseOnNodes(settings)
            guard let door else { return }
            let configuration = HAProxyConfiguration(
                server: settings.endpoint,
                otherServers: settings.otherEndpoints,
                checkUser: checkUser,
                door: door,
                places: places,
                wait: wait.value,
                idle: idle.value,
                clients: clients,
                statistics: statistics
            )
            for line in try configuration.text().pieces(separator: "\n", omittingEmptySubsequences: false).dropLast() {
                Console.print(String(line))
            }
        }
    }

    /// Where programs are to connect; `nil` when it cannot be made out.
    private var door: Endpoint? {
        if listen.begins(with: "/") { return .socket(path: listen) }
        guard let colon = listen.unicodeScalars.lastIndex(of: ":"),
            let port = Int(listen[listen.unicodeScalars.index(after: colon)...]),
            (1...65_535).contains(port), colon > listen.startIndex
        else { return nil }
        return .tcp(host: listen[..<colon].keeping { $0 != "[" && $0 != "]" }, port: port)
    }

    /// What else several nodes need, on standard error.
    private func adviseOnNodes(_ settings: DatabaseSettings) {
        guard !settings.otherEndpoints.isEmpty else { return }
        Console.error(
            "headroom: the nodes must let HAProxy in, from its host alone: CREATE USER '\(checkUser)'@'HOST' (no password, no "
                + "rights); where that is missing, every node counts as down"
        )
    }

    /// The slots must be left a place, and the settings must know of the door.
    private func check(_ settings: DatabaseSettings) throws {
        if settings.frontDoor != places {
            Console.error(
                "headroom: the settings say HEADROOM_FRONT_DOOR=\(settings.frontDoor): "
                    + "set it to \(places) for every program that uses Headroom, or the two together exceed the limit"
            )
        }
        guard let limit = (try? SlotReport(settings))?.limit else {
            Console.error("headroom: the account's limit is not known here yet: 'headroom status' looks it up")
            return
        }
        let left = limit - settings.reserve - places
        guard left >= 1 else {
            throw DatabaseError(
                .settingsInvalid,
                message: "\(places) places and a reserve of \(settings.reserve) leave \(max(0, left)) of the account's "
                    + "\(limit) connections for the slots.",
                advice: "Give the front door \(max(1, limit - settings.reserve - 1)) places at the most, or set "
                    + "HEADROOM_RESERVE=0."
            )
        }
        Console.error(
            "headroom: of the account's \(limit) connections, \(places) are the front door's, \(left) the slots', and "
                + "\(settings.reserve) stay free"
        )
    }
}
