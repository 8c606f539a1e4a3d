import Glibc
import Headroom
import HeadroomSandbox
import Subprocess
import Support
import SystemPackage

/// What the command keeps in memory: a look, a worker that sleeps, and files of two sizes each, which must not tell in it.
struct Memory {
    private static let rounds = 11

    let program: Program

    func run() async throws {
        try await Sandbox.with(SandboxOptions(limit: 10)) { sandbox in
            let looks = try (0..<Self.rounds).map { _ in try program.memory(["status"], sandbox).memory }
            say(
                "  status: \(megabytes(looks.map(\.most).median)) at most, \(megabytes(looks.map(\.own).median)) its own"
            )
            let database = try sandbox.database()
            try await database.makeMeters(first: Readings.firstMPAN, count: Readings.meters)
            try await sleepingWorker(sandbox)
            let path = "\(sandbox.directory)/readings.csv"
            defer { unlink(path) }
            for megabytes in [100, 1_000] {
                try Readings(megabytes: megabytes).write(to: path)
                let run = try program.memory(["import", "--check", path, "--type", "hh", "--json"], sandbox)
                say("  import --check, \(megabytes) MB: \(words(run))")
            }
            for megabytes in [20, 200] {
                try Readings(megabytes: megabytes).write(to: path)
                let run = try program.memory(["import", path, "--type", "hh", "--json"], sandbox)
                let stored = try await database.withConnection { connection in
                    try await connection.query("SELECT COUNT(*) FROM meter_readings").first(Int.self) ?? 0
                }
                say("  import, \(megabytes) MB, \(stored) readings: \(words(run))")
                try await database.withConnection { _ = try await $0.query("TRUNCATE TABLE meter_readings") }
            }
        }
    }

    /// A worker that has looked at its queue, found nothing, and fallen asleep.
    private func sleepingWorker(_ sandbox: Sandbox) async throws {
        _ = try await Subprocess.run(
            .path(FilePath(program.path)),
            arguments: ["work"],
            environment: Program.environment(sandbox),
            input: .none,
            output: .discarded,
            error: .discarded
        ) { execution in
            try await Task.sleep(for: .seconds(5))
            let memory = ResidentMemory(of: execution.processIdentifier.value)
            guard memory.now > 0 else { throw BenchmarkFailure(what: "the worker has ended") }
            say("  a worker that sleeps: \(megabytes(memory.now)), \(megabytes(memory.own)) its own")
            try execution.send(signal: .terminate)
        }
    }

    private func words(_ run: (memory: ResidentMemory, seconds: Double)) -> String {
        "\(megabytes(run.memory.most)) at most, \(megabytes(run.memory.own)) its own; \(rounded(run.seconds, 1)) s"
    }

    private func megabytes(_ number: Double) -> String { "\(rounded(number, 1)) MB" }
}
