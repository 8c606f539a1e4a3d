import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomDoor

/// `headroom door`: the relay by which programs that cannot be changed wait in the same line.
struct DoorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "door",
        abstract: "Lets any program's connections wait in the line of this host.",
        discussion: """
            Programs connect to the door as to the server, and log in as the account. Each gets a connection of its own to the \
            server as soon as a place of the account's budget is free, first come, first served with all that use Headroom. Who \
            waits longer than --wait is told so with error 1040. While somebody waits, connections that do nothing give their place \
            up: see docs/door.md.

            Examples:
              headroom door --listen /srv/app/run/mysql.sock
              headroom door --listen 3307 --env-file /srv/app/.env
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(
        help: ArgumentHelp(
            "Where to listen: the path of a socket, or a port of the loopback interface. May be given several times.",
            valueName: "place"
        )
    )
    var listen: [String]

    @Option(help: "The rights to the socket files, in octal digits.")
    var mode = "660"

    @Option(help: "The group of the socket files, such as www-data.")
    var group: String?

    @Option(help: "How long a client waits for a place.")
    var wait = DurationArgument(.seconds(5))

    @Option(help: "How many clients may wait; further ones are refused at once.")
    var mostWaiting = 512

    @Option(
        help: ArgumentHelp(
            "How many sessions a program may have at once, as php-fpm=3; may be given several times.",
            valueName: "name=n"
        )
    )
    var atMost: [String] = []

    @Flag(help: "Never end an idle client's session to give its place to one that waits.")
    var noParking = false

    @Flag(
        help:
            "Take the place of the door that listens there: no client is lost, and it serves those it has until they leave."
    )
    var replace = false

    @Flag(help: "Do nothing when something listens there already; for a line of cron.")
    var ensure = false

    @Flag(help: "Run as root although the server may let root in without a password.")
    var allowRoot = false

    @Flag(help: "Say nothing when clients are refused.")
    var quiet = false

    /// The limits of programs; `nil` for one that cannot be read.
    private var limits: [(name: String, most: Int)?] {
        atMost.map { text in
            guard let sign = text.utf8.lastIndex(of: UInt8(ascii: "=")), sign > text.startIndex,
                let most = Int(text[sign...].dropFirst()), most > 0
            else { return nil }
            return (String(text[..<sign]), most)
        }
    }

    private var places: [DoorPlace?] { listen.map { DoorPlace($0) } }

    func validate() throws {
        guard !listen.isEmpty else { throw ValidationError("Say where to listen: --listen PATH or --listen PORT") }
        for (text, place) in zip(listen, places) where place == nil {
            throw ValidationError("--listen \(text): name the path of a socket, a port, or ADDRESS:PORT.")
        }
        guard UInt32(mode, radix: 8).map({ $0 <= 0o777 }) == true else {
            throw ValidationError("--mode must be octal digits such as 660.")
        }
        guard !limits.contains(where: { $0 == nil }) else {
            throw ValidationError("--at-most takes a program's name and a number from 1: php-fpm=3")
        }
        guard mostWaiting >= 0 else { throw ValidationError("--most-waiting must be 0 or more.") }
    }

    func run() async throws {
        if ensure, !replace, places.allSatisfy({ $0?.isAlive == true }) { return }
        try await runCommand {
            var settings = try connection.settings(program: "headroom door")
            settings.waitTimeout = wait.value
            var door = DoorSettings(
                places: places.compactMap(\.self),
                account: settings.username,
                password: noParking ? nil : settings.password
            )
            door.mode = UInt32(mode, radix: 8) ?? 0o660
            if let group {
                guard let entry = getgrnam(group) else { throw ValidationError("There is no group '\(group)'.") }
                door.group = entry.pointee.gr_gid
            }
            door.wait = wait.value
            door.mostWaiting = mostWaiting
            for limit in limits.compactMap(\.self) { door.atMost[limit.name] = limit.most }
            try await check(settings, door)
            let isQuiet = quiet
            let relay = try Door(Database(settings), door) { line in
                if !isQuiet { Console.error("headroom: \(line)") }
            }
            let places = door.places
            try await relay.run(replacing: replace) {
                for place in places { Console.print("The door listens at \(place).") }
            }
        }
    }

    /// Refuses what would let in somebody else, or nobody.
    private func check(_ settings: DatabaseSettings, _ door: DoorSettings) async throws {
        func refuse(_ message: String, _ advice: String) -> DatabaseError {
            DatabaseError(.settingsInvalid, message: message, advice: advice)
        }
        if let place = door.places.first(where: { $0.isServer(of: settings) }) {
            throw refuse(
                "The door would listen at \(place), where the settings say that the server is: it would connect to itself.",
                "Name the server itself with HEADROOM_SERVER, and leave the door's place to the application."
            )
        }
        if let place = door.places.first(where: { !$0.isLocal }) {
            throw refuse(
                "The door would listen at \(place), which others than this host can reach; it speaks no TLS.",
                "Listen on a socket or on 127.0.0.1."
            )
        }
        let needsTLS = ![TLS.Mode.disabled, .preferred].contains(settings.tls.mode)
        if needsTLS, !settings.endpoint.isSocket {
            throw refuse(
                "The settings ask for TLS to the server, and what goes through the door is not encrypted by it.",
                "Run the door on the server's host, or let the programs connect without it."
            )
        }
        guard settings.endpoint.isSocket else { return }
        if geteuid() == 0, !allowRoot {
            throw refuse(
                "The door runs as root, and reaches the server by its socket: where that trusts the user of a process "
                    + "(unix_socket, auth_socket), every client of the door would be root to it.",
                "Run it as the site's user; --allow-root if no account of the server logs in so."
            )
        }
        var bare = settings
        bare.password = ""
        guard !settings.password.isEmpty,
            (try? await Database(bare, share: .reserve).withBriefConnection { _ in }) != nil
        else { return }
        throw refuse(
            "The server lets '\(settings.username)' in without a password when this user asks, so that every client of the door "
                + "would be let in.",
            "Run the door as another user, or have the account ask for its password."
        )
    }
}
