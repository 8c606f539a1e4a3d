import Glibc
import Headroom
import HeadroomJobs
import HeadroomSandbox
import MeterImport

/// Compares imports with LOAD DATA LOCAL of the same rows from memory, on empty tables with the host's indexes.
///
/// The yardstick has its rows ready, with the ids of the meters, and commits once; the import reads the file, finds the
/// meters, counts, keeps checkpoints and runs the queue. Both are timed from the first connection to the last commit. They
/// take turns, each round begins with another one, and a turn begins when the server has tidied up after the last.
@main
struct Import {
    static let rounds = 7

    static func main() async throws {
        var options = SandboxOptions()
        if let mysql = getenv("HEADROOM_TEST_MYSQL") { options.server = .mySQL(root: String(cString: mysql)) }
        // The yardstick needs it, and MySQL has it off by default.
        options.serverArguments = ["--local-infile=1"]
        try await Sandbox.with(options) { sandbox in
            let database = Database(try SettingsSources(environment: sandbox.environment).load().database)
            _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: database)
            let folder = "/tmp/headroom-bench-\(getpid())"
            mkdir(folder, 0o700)
            defer { rmdir(folder) }
            for data in [Data.matrix(rows: 5_000), Data.interval(rows: 50_000)] {
                let path = "\(folder)/\(data.name).csv"
                try write(data.file, to: path)
                defer { unlink(path) }
                try await Comparison(data: data, path: path, database: database, sandbox: sandbox).run()
            }
        }
    }

    struct Failure: Error {
        var what: String
    }

    private static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw Failure(what: "\(path) cannot be written") }
        defer { fclose(file) }
        guard fputs(text, file) >= 0 else { throw Failure(what: "\(path) cannot be written") }
    }
}
