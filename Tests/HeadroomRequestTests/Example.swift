import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The example application, as a process of its own with a private server.
struct Example {
    static let mpan = "1200023305967"

    /// Whether there is a program to load it with.
    static let canBeLoaded = access("/usr/bin/wrk", X_OK) == 0

    let sandbox: Sandbox
    let settings: DatabaseSettings
    let port: Int
    private let process: HeadroomProcess
    private let folder: TemporaryFolder

    /// Fills the tables, and starts the application on a free port.
    static func start(_ sandbox: Sandbox, _ arguments: [String]) async throws -> Example {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        let file = "/\(root)/Examples/data/uk-electricity-half-hourly.csv"
        let importing = ["import", file, "--type", "hh", "--mpan", mpan, "--timezone", "UTC"]
        for command in [["migrate"], importing] {
            let run = try await HeadroomProgram.run(command, environment: sandbox.environment)
            try #require(run.status == 0, "\(run.errors)")
        }
        let folder = TemporaryFolder()
        let output = "\(folder.path)/output"
        let process = try HeadroomProcess(
            ["--port", "0"] + arguments,
            environment: sandbox.environment.merging(["HEADROOM_RESERVE": "1"]) { $1 },
            output: output,
            through: ["/bin/sh", "-c", #"exec "${0%/*}/web-app" "$@""#]
        )
        var port: Int?
        _ = try await eventually {
            let text = Self.text(of: output)
            port = text.split(separator: "\n").first { $0.hasPrefix("listening on ") }
                .flatMap { Int($0.dropFirst("listening on ".count)) }
            return port != nil
        }
        var settings = DatabaseSettings(
            endpoint: .socket(path: sandbox.socket),
            username: sandbox.options.username,
            password: sandbox.options.password,
            database: sandbox.options.database
        )
        settings.stateFolder = sandbox.environment["HEADROOM_STATE_DIR"]
        return Example(
            sandbox: sandbox,
            settings: settings,
            port: try #require(port),
            process: process,
            folder: folder
        )
    }

    private static func text(of path: String) -> String {
        guard let file = fopen(path, "re") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 65_536)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }

    /// Asks the application to end, and waits until it has.
    func stop() async throws {
        process.signal(SIGTERM)
        #expect(try await process.ended() == 0)
    }

    /// What wrk reports.
    struct Report: CustomStringConvertible {
        var description: String

        var answered: Int { self["answered"] }
        var busy: Int { self["busy"] }
        var unadvised: Int { self["unadvised"] }
        var other: Int { self["other"] }
        var socketErrors: Int { self["socket_errors"] }

        private subscript(name: String) -> Int {
            guard let range = description.firstRange(of: "\"\(name)\": ") else { return -1 }
            return Int(description[range.upperBound...].prefix { $0.isNumber }) ?? -1
        }
    }

    /// Runs 64 clients.
    func wrk(_ path: String, seconds: Int) async throws -> Report {
        let run = try await HeadroomProgram.run("/usr/bin/wrk", wrkArguments(path, seconds: seconds))
        try #require(run.status == 0, "\(run.errors)")
        return Report(description: String(run.output.split(separator: "\n").last ?? ""))
    }

    /// Starts 64 clients that go on until they are killed, a minute at most.
    func startWrk(_ path: String) throws -> HeadroomProcess {
        try HeadroomProcess(
            wrkArguments(path, seconds: 60),
            environment: [:],
            through: ["/bin/sh", "-c", #"exec /usr/bin/wrk "$@""#]
        )
    }

    private func wrkArguments(_ path: String, seconds: Int) -> [String] {
        let root = #filePath.split(separator: "/").dropLast(3).joined(separator: "/")
        return [
            "--threads", "2", "--connections", "64", "--duration", "\(seconds)s", "--timeout", "10s",
            "--script", "/\(root)/Benchmarks/Web/report.lua", "http://127.0.0.1:\(port)/\(path)",
        ]
    }

    /// The number of the account's sessions.
    func sessions() async throws -> Int {
        try await administrator.withConnection { connection in
            try await connection
                .query(
                    "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE USER = \(settings.username)"
                )
                .first(Int.self) ?? -1
        }
    }

    /// How many logins the server has refused since it started, for a limit's sake or another's.
    ///
    /// Without those that the client broke off before it had logged in, as it does for a request whose own client has left.
    func refusals() async throws -> Int {
        try await administrator.withConnection { connection in
            let counts = try await connection.query("SHOW GLOBAL STATUS LIKE 'Aborted_connects%'")
                .decode(String.self, Int.self)
            let all = counts.first { $0.0 == "Aborted_connects" }?.1 ?? -1
            return all - (counts.first { $0.0 == "Aborted_connects_preauth" }?.1 ?? 0)
        }
    }

    /// Opens connections past the budget until the account is full.
    func provokeRefusal() async throws {
        let direct = Database(settings, share: .reserve)
        func open(_ depth: Int) async throws {
            try await direct.withConnection { _ in if depth > 1 { try await open(depth - 1) } }
        }
        await #expect(throws: DatabaseError.self) { try await open(11) }
    }

    private var administrator: Database {
        var settings = settings
        settings.username = "root"
        settings.password = ""
        return Database(settings, share: .reserve)
    }
}
