import ArgumentParser
import CKernel
import CommandSupport
import Glibc
import Headroom
import HeadroomWatch
import HeadroomWeb
import Hummingbird
import Logging
import ServiceLifecycle
import UnixSignals

/// `headroom-web`, which people know as `headroom serve`.
@main struct WebProgram: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "headroom serve",
        abstract: "Serves the dashboard: the account live, imports, metrics and a JSON API.",
        discussion: """
            The account is looked at every --interval while somebody watches, through one connection that is opened and closed, \
            however many watch. Nobody sees anything but the sign-in page without signing in; /healthz, /readyz and, for a \
            program of this host that comes without a proxy, /metrics are for machines and name no user, database or path.

            Who may sign in: the users of --user-file, and programs that have the token of HEADROOM_WEB_TOKEN (or --token-file), which \
            programs send as Authorization: Bearer. Without either a token is made for this run: \
            printed on a terminal, else put into a file of the state folder that only its owner can read.

            It listens on 127.0.0.1 only, and answers only who asks for a name it is served under (--host-name). To be reached from elsewhere it takes a user file or a token, and \
            TLS, its own or a proxy's.

            Examples:
              headroom serve
              headroom serve --user-file users --add-user anna
              headroom serve --user-file users --socket-path /run/headroom/web.sock --behind-proxy
              headroom serve --user-file users --behind-proxy --host-name db.example.org
              headroom serve --listen 0.0.0.0:8443 --user-file users --tls-certificate cert.pem --tls-key key.pem
            """,
        version: headroomVersion
    )

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup(title: "Serving") var serving: ServingOptions

    static func main() {
        LinkedLibraries.prepare()
        // SwiftNIO has a thread for each processor, and as many again for files.
        let processors = Int(kernel_processors())
        let (_, need) = HostLimits.check { _ in
            HostLimits.Need(descriptors: 64, megabytes: 64 + 4 * processors, threads: 2 * processors + 6)
        }
        Console.reportLostOutput()
        MainThread.wait(need) { await main(nil) }
    }

    func run() async throws {
        try await runCommand(takeSignal: Self.leaveSignals) {
            if let name = serving.addUser {
                try await UserFile.add(name, to: serving.userFile ?? "")
                return
            }
            let loaded = try connection.loaded(program: "headroom serve")
            let options = try serving.options(loaded)
            let token = try serving.token(loaded)
            let users = try serving.userFile.map { try UserFile.read($0) }
            let made = users == nil && token == nil && options.place.isLoopback ? RandomToken.make() : nil
            let credentials = try Credentials(
                users: users,
                token: token ?? made,
                metricsToken: try serving.metricsToken()
            )
            let logger = Logger(label: "headroom.web") { _ in StandardErrorLog() }
            if let made { try TokenNote.give(made, loaded.database) }
            let application = try WebServer.application(loaded, options, credentials, logger: logger) { port in
                let address = options.address(port)
                Console.error("headroom: the dashboard is at \(address)")
                ServiceNotifier.send("READY=1\nSTATUS=serves \(address)")
            }
            try await serve(application, logger)
        }
    }

    /// The server ends by itself at a signal, and lets what is under way finish.
    private static func leaveSignals(_ number: Int32) -> Bool { true }

    /// Serves until a signal comes; requests under way have 10 s to finish.
    private func serve(_ application: some ApplicationProtocol, _ logger: Logger) async throws {
        var configuration = ServiceGroupConfiguration(
            services: [application],
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger
        )
        configuration.maximumGracefulShutdownDuration = .seconds(10)
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch {
            throw DatabaseError(
                .settingsInvalid,
                message: "The dashboard cannot be served: \(error)",
                advice: "If the address is in use, another program has it: choose another with --listen."
            )
        }
        ServiceNotifier.send("STOPPING=1")
    }
}

/// Writes events to standard error, one a line, words with values.
struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words: [(String, String?)] =
            [("time", LogLine.time()), ("level", event.level.rawValue), ("msg", "\(event.message)")]
            + facts.map { ($0.key, "\($0.value)") }
        Console.error(LogLine.text(words))
    }
}

/// Hands the token that was made for this run to its owner, and to nobody else.
///
/// A terminal is its owner's. What a service writes goes to a journal that others read and that keeps it, so there it is put
/// into a file that only its owner can read, and only the path is said.
enum TokenNote {
    /// Says how to sign in.
    ///
    /// - Throws: ``DatabaseError`` when the file cannot be written.
    static func give(_ token: String, _ settings: DatabaseSettings) throws {
        guard Console.isTerminal else {
            let path = try AccountNotes(settings, topic: "web-token").path(ending: "")
            do throws(RegularFile.Problem) {
                try RegularFile.write(path, "\(token)\n", mode: 0o600)
            } catch {
                throw DatabaseError(
                    .stateFolderUnusable,
                    message: "The token to sign in with cannot be written to \(path): \(error).",
                    advice: "Choose a token with HEADROOM_WEB_TOKEN, or another folder with HEADROOM_STATE_DIR."
                )
            }
            Console.error("  sign in with the token in \(path) (set HEADROOM_WEB_TOKEN to choose your own)")
            return
        }
        Console.error("  sign in with the token \(token) (set HEADROOM_WEB_TOKEN to choose your own)")
    }
}
