import ArgumentParser
import Headroom
import HeadroomRequest
import Hummingbird
import Logging

/// A small application over the meters and readings that Headroom imports.
@main
struct WebApp: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web-app",
        abstract: "Serves meters and their readings; where the database is, the DB_ settings say."
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port = 8080

    @Option(help: "The seconds for which a request waits for its connection before it is told to come back.")
    var wait = 5.0

    @Option(help: "The seconds for which a request may hold its connection.")
    var timeout = 60.0

    @Option(help: "The seconds for which a connection is kept for the next request; none by default.")
    var keep: Double?

    func run() async throws {
        let settings = try SettingsSources(environment: Self.environment).load(programName: "web-app")
        let database = Database(
            settings.database,
            reuse: keep.map { .keep(idle: .seconds($0), lifetime: .seconds(300)) } ?? .never
        )

        let router = Router(context: BasicDatabaseRequestContext.self)
        router.add(
            middleware: RequestDatabaseMiddleware(
                database,
                waitTimeout: .seconds(wait),
                timeout: .seconds(timeout)
            )
        )
        MeterRoutes().add(to: router)

        var logger = Logger(label: "web-app")
        logger.logLevel = .warning
        let application = Application(
            router: router,
            configuration: .init(address: .hostname(host, port: port)),
            onServerRunning: { channel in
                // The line that a script waits for.
                print("listening on \(channel.localAddress?.port ?? 0)")
                flushOutput()
            },
            logger: logger
        )
        try await application.runService()
    }
}
