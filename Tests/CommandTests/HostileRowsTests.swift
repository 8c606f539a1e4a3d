import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The built program, against somebody who may write to `import_jobs`.
@Suite(.sandbox()) struct HostileRowsTests {
    private let folder = TemporaryFolder()

    private func text(_ queue: DrillQueue) async throws -> String {
        try await queue.texts("SELECT CONCAT_WS('|', status, error_message, last_error, summary) FROM import_jobs")
            .joined(separator: "\n")
    }

    private func environment(_ queue: DrillQueue, _ folders: String) -> [String: String] {
        queue.environment.merging(["HEADROOM_IMPORT_DIRS": folders]) { $1 }
    }

    @Test func `no row brings a byte of a file elsewhere into the table, the output or an alert`() async throws {
        let queue = try await DrillQueue("hostile", in: SuiteServer.sandbox)
        mkdir("\(folder.path)/up", 0o755)
        folder.write("SECRET=1\n", to: "secret.csv")
        folder.write("SECRET:x:0\n", to: "shadow")
        symlink("\(folder.path)/secret.csv", "\(folder.path)/up/link.csv")
        symlink(folder.path, "\(folder.path)/up/way")
        mkfifo("\(folder.path)/up/fifo.csv", 0o600)
        let names = [
            "secret.csv", "shadow", "up/link.csv", "up/way/secret.csv", "up/../secret.csv", "up/fifo.csv", "up",
        ]
        let paths = names.map { "\(folder.path)/\($0)" } + ["/etc/passwd", "/proc/self/environ", "/dev/zero", "x.csv"]
        for (round, setting) in [[:], ["HEADROOM_IMPORT_DIRS": "\(folder.path)/up"]].enumerated() {
            for (index, path) in paths.enumerated() { try await queue.insert(path, batch: "b\(round)-\(index)") }
            let run = try await HeadroomProgram.run(
                ["work", "--once", "--limit", "100", "--alert-command", "env >> \(folder.path)/told"],
                environment: queue.environment.merging(setting) { $1 }
            )
            #expect(run.status == 1)
            let told = try await HeadroomProgram.run("/bin/cat", ["\(folder.path)/told"]).output
            for said in [run.output, run.errors, try await text(queue), told] {
                #expect(!said.contains("SECRET") && !said.contains("root:x"), "\(said)")
            }
            #expect(told.contains("HEADROOM_JOB_REASON"))
        }
        #expect(try await queue.number("SELECT COUNT(*) FROM import_jobs WHERE status = 'failed'") == 2 * paths.count)
    }

    @Test func `a job refused for its folder runs after the setting that the refusal names, and a retry`() async throws
    {
        let queue = try await DrillQueue("refused", in: SuiteServer.sandbox)
        mkdir("\(folder.path)/up", 0o755)
        folder.write(DrillFiles.daily(rows: 5), to: "up/data")
        let job = try await queue.insert("\(folder.path)/up/data", type: "daily", batch: "b")
        #expect(try await queue.work().status == 1)
        #expect(try await queue.status(job) == "failed")
        let line = "HEADROOM_IMPORT_DIRS=\(folder.path)/up"
        #expect(try await text(queue).contains("set \(line) for the worker"))
        let environment = environment(queue, "\(folder.path)/up")
        for command in [["jobs", "retry", "\(job)"], ["work", "--once"]] {
            #expect(try await HeadroomProgram.run(command, environment: environment).status == 0)
        }
        #expect(try await queue.status(job) == "completed")
    }

    @Test func `what a person names is imported from anywhere, and queued only where a worker may read it`()
        async throws
    {
        let queue = try await DrillQueue("named", in: SuiteServer.sandbox)
        mkdir("\(folder.path)/up", 0o755)
        folder.write(DrillFiles.daily(rows: 5), to: "data")
        symlink("../data", "\(folder.path)/up/l.csv")
        let environment = environment(queue, "\(folder.path)/up")
        let imported = try await HeadroomProgram.run(
            ["import", "up/../up/l.csv", "--type", "daily"],
            environment: environment,
            in: folder.path
        )
        #expect(imported.status == 0, "\(imported.errors)")
        // As it lies on the disk; and by the name that was typed.
        #expect(
            try await queue.texts("SELECT CONCAT(filename, ' ', file_path) FROM import_jobs") == [
                "l.csv \(folder.path)/data"
            ]
        )
        let refused = try await HeadroomProgram.run(
            ["jobs", "add", "\(folder.path)/data", "--type", "daily"],
            environment: environment
        )
        #expect(refused.status == 1 && refused.errors.contains("HEADROOM_IMPORT_DIRS=\(folder.path)/up:\(folder.path)"))
        #expect(try await queue.number("SELECT COUNT(*) FROM import_jobs") == 1)
        let wrong = try await HeadroomProgram.run(["work", "--once"], environment: self.environment(queue, "/x:up"))
        #expect(wrong.status == 1 && wrong.errors.contains("no absolute path"), "\(wrong.errors)")
    }

    @Test func `pruning deletes files only where the setting says`() async throws {
        let queue = try await DrillQueue("prune", in: SuiteServer.sandbox)
        mkdir("\(folder.path)/up", 0o755)
        for name in ["up/a.csv", "b.csv"] {
            folder.write("x\n", to: name)
            try await queue.insert("\(folder.path)/\(name)", batch: name)
        }
        #expect(try await queue.work().status == 1)
        try await queue.query("UPDATE import_jobs SET completed_at = NOW() - INTERVAL 1 DAY")
        let prune = ["jobs", "prune", "--days", "0", "--files"]
        let unset = try await HeadroomProgram.run(prune, environment: queue.environment)
        #expect(unset.status == 1 && unset.errors.contains("next: set HEADROOM_IMPORT_DIRS"), "\(unset.errors)")
        #expect(try await queue.number("SELECT COUNT(*) FROM import_jobs") == 2)
        let run = try await HeadroomProgram.run(prune, environment: environment(queue, "\(folder.path)/up"))
        #expect(run.output == "2 jobs deleted, 1 file\n", "\(run.output)\(run.errors)")
        #expect(run.errors.contains("\(folder.path)/b.csv was not deleted: it lies in none of the folders"))
        #expect(access("\(folder.path)/up/a.csv", F_OK) != 0 && access("\(folder.path)/b.csv", F_OK) == 0)
        #expect(try await HeadroomProgram.run(["jobs", "prune", "--days", "\(Int.max)"]).status == 64)
    }
}
