import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// A queue in a database of its own, with what a drill does to it: as the host's pages do, by plain statements.
struct DrillQueue: Sendable {
    let sandbox: Sandbox
    let name: String
    var account = "app"

    /// Makes the database with its tables.
    init(_ name: String, in sandbox: Sandbox, account: String = "app") async throws {
        (self.sandbox, self.name, self.account) = (sandbox, name, account)
        try await administrator.withConnection { connection in
            try await connection.query("CREATE DATABASE \(raw: name) CHARACTER SET utf8mb4")
            try await connection.query("GRANT ALL PRIVILEGES ON \(raw: name).* TO \(raw: account)@'%'")
        }
        let run = try await HeadroomProgram.run(["migrate"], environment: environment)
        try #require(run.status == 0, "\(run.errors)")
    }

    var environment: [String: String] {
        sandbox.environment.merging(["DB_DATABASE": name, "DB_USERNAME": account, "DB_PASSWORD": "sandbox"]) { $1 }
    }

    /// The administrator's way in, whom no limit binds; also after a restart, as the socket stays where it is.
    var administrator: Database {
        var settings = DatabaseSettings(
            endpoint: .socket(path: sandbox.socket),
            username: "root",
            password: "",
            database: nil
        )
        settings.stateFolder = sandbox.environment["HEADROOM_STATE_DIR"]
        return Database(settings, share: .reserve)
    }

    /// Runs a statement on the queue's database.
    @discardableResult
    func query(_ statement: SQL) async throws -> QueryResult {
        try await administrator.withConnection { connection in
            try await connection.query("USE \(raw: name)")
            return try await connection.query(statement)
        }
    }

    /// Returns the rows of a statement that selects one column of text.
    func texts(_ statement: SQL) async throws -> [String] {
        try await query(statement).decode(String?.self).map { $0 ?? "NULL" }
    }

    /// Returns the only number that a statement selects.
    func number(_ statement: SQL) async throws -> Int {
        try #require(try await query(statement).first(Int.self))
    }

    /// Queues a file as a page does, with only the columns that it sets; returns the job's id.
    @discardableResult
    func insert(_ path: String, type: String = "hh", batch: String, retries: Int = 3) async throws -> Int {
        let result = try await query(
            """
            INSERT INTO import_jobs
                (batch_id, filename, file_path, import_type, status, queued_at, max_retries, metadata)
            VALUES (\(batch), \(batch + ".csv"), \(path), \(type), 'queued', NOW(), \(retries), \(DrillFiles.options))
            """
        )
        return Int(result.lastInsertID)
    }

    /// How far a job is, as a page asks for it; `nil` when it is gone.
    func status(_ job: Int) async throws -> String? {
        try await texts("SELECT status FROM import_jobs WHERE id = \(job)").first
    }

    /// How many rows of a job are done.
    func rows(_ job: Int) async throws -> Int {
        try await query("SELECT processed_rows FROM import_jobs WHERE id = \(job)").first(Int.self) ?? -1
    }

    /// Starts a worker that goes on beside the test.
    func start(_ arguments: [String] = ["--once"], output: String = "/dev/null", _ changes: [String: String] = [:])
        throws -> HeadroomProcess
    {
        try HeadroomProcess(
            ["work", "--yield-above", "100"] + arguments,
            environment: environment.merging(changes) { $1 },
            output: output
        )
    }

    /// Runs `headroom work --once` to its end.
    func work(_ arguments: String...) async throws -> HeadroomProgram.Output {
        try await HeadroomProgram.run(
            ["work", "--once", "--yield-above", "100"] + arguments,
            environment: environment
        )
    }

    /// The sessions on the queue's database, but for the administrator's.
    func sessions() async throws -> Int {
        try await number(
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = \(name) AND USER = \(account)"
        )
    }

    /// Has the server end the workers' sessions.
    func endSessions() async throws {
        let sessions = try await query(
            "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = \(name) AND USER = \(account)"
        )
        .decode(Int.self)
        for session in sessions { _ = try? await query("KILL \(raw: "\(session)")") }
    }

    /// All that imports have left behind, a line for each row, without the times at which they ran.
    func contents() async throws -> [String] {
        var lines: [String] = []
        for statement in Self.statements { lines += try await texts(statement) }
        return lines
    }

    private static let statements: [SQL] = [
        """
        SELECT CONCAT_WS('|', m.mpan, r.reading_date, IFNULL(r.reading_time, '-'), IFNULL(r.period_number, '-'),
                         r.reading_value, r.reading_type, r.import_batch_id)
        FROM meter_readings AS r JOIN meters AS m ON m.id = r.meter_id
        ORDER BY m.mpan, r.reading_date, r.reading_time, r.period_number, r.reading_value
        """,
        """
        SELECT CONCAT_WS('|', 'meter', m.mpan, s.name, m.batch_id) FROM meters AS m JOIN sites AS s ON s.id = m.site_id
        ORDER BY m.mpan
        """,
        """
        SELECT CONCAT_WS('|', 'site', c.name, s.name, s.postcode, s.floor_area)
        FROM sites AS s JOIN companies AS c ON c.id = s.company_id ORDER BY s.name, s.id
        """,
        """
        SELECT CONCAT_WS('|', 'rejected', job_id, line, column_name, cell, reason, content)
        FROM headroom_rejected_rows ORDER BY job_id, line, id
        """,
        """
        SELECT CONCAT_WS('|', 'job', id, batch_id, status, total_rows, processed_rows, imported_rows, failed_rows,
            JSON_REMOVE(summary, '$.first_reading'))
        FROM import_jobs ORDER BY id
        """,
        "SELECT CONCAT_WS('|', 'lease', job_id) FROM headroom_leases",
        "SELECT CONCAT_WS('|', 'checkpoint', job_id) FROM headroom_checkpoints",
    ]
}

/// Files for drills, each some chunks long; their values go up and down, as a register's never do.
enum DrillFiles {
    /// What they are: they repeat readings with other values, and each of their times is another one.
    static let options = #"{"repeats": "last", "timezone": "UTC"}"#

    /// A day and a month of 2024 that every month has, for the row.
    private static func date(_ row: Int) -> String {
        let (month, day) = (row / 28 % 12 + 1, row % 28 + 1)
        return "2024-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
    }

    /// Half-hours in columns; each 29th row has a bad cell.
    static func matrix(rows: Int) -> String {
        let header = "mpan,date," + (1...48).map { "HH\($0)" }.joined(separator: ",") + "\n"
        return (0..<rows)
            .reduce(into: header) { text, row in
                let cells = (0..<48).map { $0 == 7 && row % 29 == 5 ? "x" : "\(row * 37 % 90).\($0 * 29 % 48 + 10)" }
                text += "MX\(row / 300),\(date(row % 300)),\(cells.joined(separator: ","))\n"
            }
    }

    /// Half-hours in rows; each 37th is bad, and each 11th comes again with another value.
    static func interval(rows: Int) -> String {
        (0..<rows)
            .reduce(into: "mpan,start,value,type\n") { text, row in
                let half = row % 11 == 0 && row > 0 ? row - 1 : row
                let time = half % 48
                let clock = "\(time / 2 < 10 ? "0" : "")\(time / 2):\(time % 2 == 0 ? "00" : "30")"
                let value = row % 37 == 5 ? "bad" : "\(row * 197 % 500).\(row % 8)"
                text += "IV\(half / 3000),\(date(half / 48 % 300)) \(clock),\(value),\(row % 5 == 0 ? "E" : "A")\n"
            }
    }

    /// Daily readings; each 41st is bad, and each 13th comes twice.
    static func daily(rows: Int) -> String {
        (0..<rows)
            .reduce(into: "mpan,date,value\n") { text, row in
                let day = row % 13 == 0 && row > 0 ? row - 1 : row
                text += "DY\(day / 300),\(row % 41 == 7 ? "31/02/2024" : date(day % 300)),\(row * 389 % 700).5\n"
            }
    }

    /// Sites; each 31st has no name, and each 17th comes twice.
    static func sites(rows: Int) -> String {
        (0..<rows)
            .reduce(into: "name,postcode,floor_area\n") { text, row in
                let site = row % 17 == 0 && row > 0 ? row - 1 : row
                text += "\(row % 31 == 9 ? "" : "Site \(site)"),P\(site % 1000),\(row % 900).25\n"
            }
    }
}
