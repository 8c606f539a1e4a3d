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

    @Flag(help: "Never end an idle client's session to give its place to one that waits.")
    var noParking = false

    @Flag(help: "Say nothing when clients are refused.")
    var quiet = false

    private var places: [DoorPlace?] { listen.map { DoorPlace($0) } }

    func validate() throws {
        guard !listen.isEmpty else { throw ValidationError("Say where to listen: --listen PATH or --listen PORT") }
        for (text, place) in zip(listen, places) where place == nil {
            throw ValidationError("--listen \(text): name the path of a socket, a port, or ADDRESS:PORT.")
        }
        guard UInt32(mode, radix: 8).map({ $0 <= 0o777 }) == true else {
            throw ValidationError("--mode must be octal digits such as 660.")
        }
        guard mostWaiting >= 0 else { throw ValidationError("--most-waiting must be 0 or more.") }
    }

    func run() async throws {
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
            let isQuiet = quiet
            let relay = try Door(Database(settings), door) { line in
                if !isQuiet { Console.error("headroom: \(line)") }
            }
            let places = door.places
            try await relay.run {
                for place in places { Console.print("The door listens at \(place).") }
            }
        }
    }
}
