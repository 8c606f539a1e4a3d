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
    var listen: [String] = []

    @Option(help: "The rights to the socket files, in octal digits.")
    var mode: String?

    @Option(help: "The group of the socket files, such as www-data.")
    var group: String?

    @Option(help: "How long a client waits for a place; 5 s by default.")
    var wait: DurationArgument?

    @Option(help: "How many clients may wait; further ones are refused at once.")
    var mostWaiting = 512

    @Option(
        help: ArgumentHelp(
            "How many sessions a program may have at once, as php-fpm=3; may be given several times.",
            valueName: "name=n"
        )
    )
    var atMost: [String] = []

    @Option(
        help:
            "Hang up, when somebody waits, on a client that has done nothing for so long although its session has state; from 30 s."
    )
    var cutIdle: DurationArgument?

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

    func validate() throws {
        guard cutIdle.map({ $0.value >= .seconds(30) }) ?? true else {
            throw ValidationError("--cut-idle must be at least 30 s.")
        }
        guard mostWaiting >= 0 else { throw ValidationError("--most-waiting must be 0 or more.") }
    }

    func run() async throws {
        // Its sockets are not for what it might start.
        let lent = Variables.value("HEADROOM_UP_SOCKETS").map(DoorSockets.read) ?? [:]
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom door")
            var door = try DoorSettings(
                loaded,
                listen: listen,
                mode: mode,
                group: group,
                wait: wait?.value,
                atMost: atMost
            )
            if ensure, !replace, door.places.allSatisfy(\.isAlive) { return }
            var settings = loaded.database
            settings.waitTimeout = door.wait
            if noParking { door.password = nil }
            (door.mostWaiting, door.cutAfter) = (mostWaiting, cutIdle?.value)
            try await check(settings, door)
            let isQuiet = quiet
            let relay = try Door(Database(settings), door) { line in
                if !isQuiet { Console.error("headroom: \(line)") }
            }
            let places = door.places
            try await relay.run(replacing: replace, lent: lent) {
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
        // Nothing but what it says: a password that is refused would be read again, and the right one sent.
        (bare.password, bare.passwordSource, bare.waitTimeout) = ("", nil, door.wait)
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

extension DoorSettings {
    /// What the settings say, where flags say nothing.
    ///
    /// - Throws: ``DatabaseError`` with `settingsMissing` where neither says where to listen, or `settingsInvalid`.
    init(
        _ loaded: LoadedSettings,
        listen: [String] = [],
        mode: String? = nil,
        group: String? = nil,
        wait: Duration? = nil,
        atMost: [String] = []
    ) throws {
        func list(_ flags: [String], _ setting: Setting) throws -> [String] {
            if !flags.isEmpty { return flags }
            return try loaded.found.value(setting)?.pieces(separator: ",").map { String($0.trimmed) } ?? []
        }
        func invalid(_ setting: Setting, _ value: String, _ advice: String) -> DatabaseError {
            DatabaseError(
                .settingsInvalid,
                message: "\(setting.flag ?? "") (\(setting.name)) is '\(value)'.",
                advice: advice
            )
        }
        let places = try list(listen, .doorListen)
            .map { text in
                guard let place = DoorPlace(text) else {
                    throw invalid(.doorListen, text, "Name the path of a socket, a port, or ADDRESS:PORT.")
                }
                return place
            }
        guard !places.isEmpty else {
            throw DatabaseError(
                .settingsMissing,
                message: "Nothing says where the door is to listen.",
                advice: "Name the path of a socket, or a port, with --listen or HEADROOM_DOOR_LISTEN."
            )
        }
        let settings = loaded.database
        self.init(places: places, account: settings.username, password: settings.password)
        if let text = try mode ?? loaded.found.value(.doorMode) {
            guard let rights = UInt32(text, radix: 8), rights <= 0o777 else {
                throw invalid(.doorMode, text, "Write octal digits, such as 660.")
            }
            self.mode = rights
        }
        if let name = try group ?? loaded.found.value(.doorGroup) {
            guard let entry = getgrnam(name) else {
                throw invalid(.doorGroup, name, "There is no such group on this host.")
            }
            self.group = entry.pointee.gr_gid
        }
        if let wait = try wait ?? loaded.found.value(.doorWait).flatMap({ Duration(text: $0) }) { self.wait = wait }
        for text in try list(atMost, .doorAtMost) {
            let signs: [UInt8] = [UInt8(ascii: "="), UInt8(ascii: ":")]
            guard let sign = text.utf8.lastIndex(where: signs.contains), sign > text.startIndex,
                let most = Int(text[sign...].dropFirst()), most > 0
            else { throw invalid(.doorAtMost, text, "Name a program and a number from 1, as php-fpm:3.") }
            self.atMost[String(text[..<sign])] = most
        }
    }
}
