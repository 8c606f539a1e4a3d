import Glibc
import Headroom
import HeadroomSandbox
import HeadroomWatch
import TestSupport
import Testing

/// PHP with and without persistent PDO connections, through a HAProxy that `headroom deploy haproxy` has configured.
@Suite(
    "The front door",
    .enabled(if: FrontDoor.isInstalled, "haproxy and php are not installed: scripts/setup --front-door"),
    .timeLimit(.minutes(3))
)
struct FrontDoorTests {
    @Test(
        "PHP past its places waits, beside slots that use all of the rest: nobody is refused",
        arguments: [false, true]
    )
    func shared(isPersistent: Bool) async throws {
        // Of 6: 3 for the door, 1 in reserve, 2 slots.
        try await FrontDoor.with(limit: 6, places: 3) { door in
            let isOver = EventFlag()
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        var cycles = 0
                        while !isOver.isRaised {
                            try await door.database.withConnection { try await $0.query("SELECT 1") }
                            cycles += 1
                        }
                        #expect(cycles > 0)
                    }
                }
                let runs = try await withThrowingTaskGroup(of: String.self) { clients in
                    for _ in 0..<12 {
                        clients.addTask { try await door.php(Self.cycles, ["100", isPersistent ? "1" : "0"]) }
                    }
                    return try await clients.reduce(into: [String]()) { $0.append($1) }
                }
                isOver.raise()
                try await group.waitForAll()
                #expect(runs == Array(repeating: "100", count: 12), "\(runs)")
            }
            #expect(door.database.budget == 2)
            #expect(door.database.statistics.refused.isEmpty)
            let report = try await FrontDoorReport.ask(door.statistics)
            #expect(report.places == 3 && report.mostUsed == 3 && report.mostWaiting > 0, "\(report)")
        }
    }

    @Test(
        "A client that waits too long is closed before the server has greeted it; status counts who is in and who waits"
    )
    func waiting() async throws {
        try await FrontDoor.with(limit: 6, places: 1, options: ["--wait", "1s", "--idle", "20s"]) { door in
            let isIn = "\(door.folder.path)/in"
            async let holder = door.php(
                #"$p = connect(false); touch($argv[1]); while (!file_exists("$argv[1].end")) usleep(10000); echo 'held';"#,
                [isIn]
            )
            #expect(try await eventually { access(isIn, F_OK) == 0 })
            async let waiter = door.php(
                "try { connect(false); echo 'in'; } catch (PDOException $e) { echo $e->getMessage(); }",
                []
            )
            #expect(try await eventually { try await FrontDoorReport.ask(door.statistics).waiting == 1 })
            let status = try await HeadroomProgram.run(["status"], environment: door.environment)
            #expect(status.output.contains("1 of 1 places in use, 1 waiting"), "\(status.output)")
            let json = try await HeadroomProgram.run(["status", "--json"], environment: door.environment)
            #expect(
                json.output.contains("\"configured_places\" : 1") || json.output.contains("\"configured_places\":1")
            )
            let refusal = try await waiter
            #expect(refusal.contains("2006"), "\(refusal)")
            close(open("\(isIn).end", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
            let held = try await holder
            #expect(held == "held")
        }
    }

    @Test("An idle client loses its connection when its time is over, and the next one gets the place")
    func idle() async throws {
        try await FrontDoor.with(limit: 6, places: 1, options: ["--wait", "1s", "--idle", "1s"]) { door in
            let isIn = "\(door.folder.path)/in"
            async let holder = door.php(
                """
                $p = connect(false); touch($argv[1]); while (!file_exists("$argv[1].end")) usleep(10000);
                try { $p->query('SELECT 1'); echo 'still'; } catch (PDOException $e) { echo $e->getMessage(); }
                """,
                [isIn]
            )
            #expect(try await eventually { access(isIn, F_OK) == 0 })
            #expect(try await eventually { try await FrontDoorReport.ask(door.statistics).used == 0 })
            #expect(try await door.php("connect(false)->query('SELECT 1'); echo 'in';", []) == "in")
            close(open("\(isIn).end", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
            let lost = try await holder
            #expect(lost.contains("2006"), "\(lost)")
        }
    }

    @Test("Places that leave nothing for the slots are refused, with the number that would do")
    func tooMany() async throws {
        try await Sandbox.with(SandboxOptions(limit: 4)) { sandbox in
            let look = try await HeadroomProgram.run(["migrate"], environment: sandbox.environment)
            #expect(look.status == 0, "\(look.errors)")
            let run = try await HeadroomProgram.run(
                ["deploy", "haproxy", "--places", "3"],
                environment: sandbox.environment
            )
            #expect(run.status != 0)
            #expect(run.errors.contains("leave 0 of the account's 4 connections"), "\(run.errors)")
            #expect(run.errors.contains("2 places at the most"), "\(run.errors)")
            #expect(run.output.isEmpty)
        }
    }

    private static let cycles = """
        $done = 0;
        for ($i = 0; $i < (int) $argv[1]; $i++) {
            $p = connect($argv[2] === '1');
            $p->query('SELECT 1')->fetch();
            $p = null;
            $done++;
        }
        echo $done;
        """
}

/// A HAProxy with the configuration that the command has written, before a private server.
struct FrontDoor {
    static let isInstalled = access("/usr/sbin/haproxy", X_OK) == 0 && access("/usr/bin/php", X_OK) == 0

    let sandbox: Sandbox
    let folder: TemporaryFolder
    let environment: [String: String]
    let database: Database
    let statistics: String
    private let socket: String

    /// Runs the body with a front door.
    static func with(
        limit: Int,
        places: Int,
        options: [String] = [],
        _ body: (FrontDoor) async throws -> Void
    ) async throws {
        try await Sandbox.with(SandboxOptions(limit: limit)) { sandbox in
            let folder = TemporaryFolder()
            let socket = "\(folder.path)/door.sock"
            let statistics = "\(folder.path)/stats.sock"
            let environment = sandbox.environment.merging([
                "HEADROOM_FRONT_DOOR": "\(places)", "HEADROOM_FRONT_DOOR_STATS": statistics,
            ]) { $1 }
            let flags = ["--places", "\(places)", "--listen", socket, "--statistics", statistics]
            let written = try await HeadroomProgram.run(
                ["deploy", "haproxy"] + flags + options,
                environment: environment
            )
            try #require(written.status == 0, "\(written.errors)")
            let file = "\(folder.path)/haproxy.cfg"
            try #require(FrontDoor.write(written.output, to: file))
            let process = try HeadroomProcess(
                ["-db", "-f", file],
                environment: [:],
                output: "\(folder.path)/log",
                through: ["/bin/sh", "-c", #"exec /usr/sbin/haproxy "$@""#]
            )
            var settings = try SettingsSources(environment: environment).load().database
            settings.waitTimeout = .seconds(60)
            let door = FrontDoor(
                sandbox: sandbox,
                folder: folder,
                environment: environment,
                database: Database(settings),
                statistics: statistics,
                socket: socket
            )
            do {
                try #require(try await eventually { (try? await FrontDoorReport.ask(statistics)) != nil })
                try await body(door)
            } catch {
                process.signal(SIGTERM)
                _ = try await process.ended()
                throw error
            }
            process.signal(SIGTERM)
            _ = try await process.ended()
        }
    }

    /// Runs PHP code that may `connect` through the door, and returns what it prints.
    func php(_ code: String, _ arguments: [String]) async throws -> String {
        let connect = """
            function connect($persistent) {
                return new PDO(getenv('DOOR'), getenv('DB_USERNAME'), getenv('DB_PASSWORD'), [
                    PDO::ATTR_PERSISTENT => $persistent, PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION,
                ]);
            }
            """
        let run = try await HeadroomProgram.run(
            "/usr/bin/php",
            ["-r", connect + code, "--"] + arguments,
            environment: environment.merging(["DOOR": "mysql:unix_socket=\(socket);dbname=app"]) { $1 }
        )
        return run.output + run.errors
    }

    private static func write(_ text: String, to path: String) -> Bool {
        guard let file = fopen(path, "we") else { return false }
        return fputs(text, file) >= 0 && fclose(file) == 0
    }
}
