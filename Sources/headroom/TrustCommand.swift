import ArgumentParser
import CommandSupport
import Glibc
import Headroom

/// `headroom trust`: the keys by which servers are known.
struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "Remembers the key that a server shows now, and lists or forgets what is remembered.",
        discussion: """
            A MySQL server may ask for the password itself (caching_sha2_password). It gets it over a unix socket, when its \
            certificate was verified, or when it shows the key that was remembered at the first login. When the key is \
            another one, logins are refused: ask who runs the server, compare the fingerprint, and accept it here. Each \
            user has a memory of its own: run it as the user whose program was refused.

            Examples:
              headroom trust db.example.org
              headroom trust db.example.org --replace
              headroom trust --list
              headroom trust --forget db.example.org:3307
            """
    )

    @Argument(help: ArgumentHelp("The server, HOST or HOST:PORT.", valueName: "host"))
    var place: String?

    @Flag(help: "Remember the key without asking.")
    var yes = false

    @Flag(help: "Forget the keys that the server showed before: they are not its own any more.")
    var replace = false

    @Flag(help: "List what is remembered.")
    var list = false

    @Flag(help: "Forget what is remembered of the server.")
    var forget = false

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard [list, forget, replace].count(where: \.self) <= 1 else {
            throw ValidationError("--list, --forget and --replace: choose one.")
        }
        guard list || place != nil else { throw ValidationError("Name the server: headroom trust HOST[:PORT].") }
    }

    func run() async throws {
        try await runCommand {
            var sources = connection.sources
            let found = sources.find()
            let file = ServerKeyFile(try found.value(.stateFolder))
            if list { return try show(file) }
            guard let text = place,
                let places = Endpoint.list(text, port: try found.value(.port).flatMap { Int($0) } ?? 3306),
                places.count == 1
            else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "'\(place ?? "")' is no server.",
                    advice: "Write HOST or HOST:PORT, as the message that names this command has it."
                )
            }
            guard case .tcp(let host, _) = places[0], host != "localhost" else {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "localhost means the server's unix socket, and a server there is not known by a key.",
                    advice: "Write 127.0.0.1 for TCP."
                )
            }
            let name = ServerKeys.place(of: places[0])
            if forget {
                try change(file) { $0.forget(name) }
                Console.print("Nothing is remembered of \(name).")
                return
            }
            sources.overrides["DB_HOST"] = text
            var settings = try sources.loadTelling(program: "headroom trust").database
            settings.endpoint = places[0]
            try await remember(try await ServerKey.shown(by: settings), of: name, in: file)
        }
    }

    private func show(_ file: ServerKeyFile) throws {
        let entries = try file.read().entries
        if entries.isEmpty { Console.print("No server is remembered (\(file.path ?? "there is no folder for it")).") }
        for entry in entries {
            switch entry.fact {
            case .key(let key):
                Console.print("\(entry.place)  \(key.kind.rawValue)  \(key.fingerprint)  since \(entry.day)")
            case .withoutPassword(let user):
                Console.print("\(entry.place)  lets '\(user)' in without the password  since \(entry.day)")
            }
        }
    }

    private func remember(_ keys: [ServerKey], of name: String, in file: ServerKeyFile) async throws {
        guard !keys.isEmpty else {
            throw DatabaseError(
                .serverNotTrusted,
                message: "\(name) shows no key: it has no TLS, and does not ask for the password.",
                advice: "There is nothing to accept; logins do not depend on it."
            )
        }
        let known = try file.read().entries.filter { $0.place == name }
        for key in keys {
            let since = known.first { $0.key == key }.map { "remembered since \($0.day)" } ?? "new"
            Console.print("\(name) shows  \(key.kind.rawValue)  \(key.fingerprint)  (\(since))")
        }
        for entry in known {
            guard let key = entry.key, !keys.contains(key) else { continue }
            Console.print("Remembered so far:  \(key.kind.rawValue)  \(key.fingerprint)  since \(entry.day)")
        }
        let areNew = keys.contains { key in !known.contains { $0.key == key } }
        let areOthers = known.contains { entry in !keys.contains { $0 == entry.key } }
        guard areNew || replace && areOthers else { return }
        if !yes {
            switch try await Question.ask("Is this what the server's administrator reads there? Remember it?") {
            case true?: break
            case false?: throw ExitCode(1)
            case nil:
                throw DatabaseError(
                    .serverNotTrusted,
                    message: "Nothing was remembered: there is nobody to ask.",
                    advice: "Run it at a terminal, or with --yes."
                )
            }
        }
        try change(file) { memory in
            if replace { memory.forget(name) }
            for key in keys { memory.remember(.key(key), of: name, on: ServerKeyFile.today) }
        }
        let isBeside = areOthers && !replace
        Console.print(
            isBeside
                ? "Remembered beside what was known. 'headroom trust \(name) --replace' forgets the rest."
                : "Remembered. 'headroom trust --forget \(name)' forgets all keys of it."
        )
    }

    private func change(_ file: ServerKeyFile, _ change: (inout ServerKeys) -> Void) throws {
        guard try file.update(change) else {
            throw DatabaseError(
                .lockTaken,
                message: "Another program is writing to \(file.path ?? "the memory of servers' keys").",
                advice: "Try again."
            )
        }
    }
}
