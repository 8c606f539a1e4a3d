import ArgumentParser
package import CommandSupport
import Glibc
import Headroom
package import HeadroomWatch
import Synchronization

/// `headroom verify`: proves the promises on the user's own server.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves on your own server that a closed connection is gone, and that the budget holds.",
        discussion: """
            Without a drill it takes five quick steps: open, query and count itself, close, see it gone from the server, \
            and find no session of this program left. --full goes on: settings and files, grants, the limit and the \
            budget, and a drill for each promise. A drill that would use over half of the account's free connections asks \
            first, or is skipped where there is no terminal; --yes answers. Exits with 0 only when nothing failed; what is \
            skipped is no failure.

            --cycles opens a connection, runs a query and closes it, again and again, and counts how often the server \
            refuses the next one. It uses one connection at a time, beside those of --hold. Each cycle is a login: on an \
            account with an hourly limit no more than half of it is used.

            --pressure has several processes with many tasks do the same at once, all within the budget that they share, \
            for a bounded time. With HEADROOM_RESERVE=0 the budget is all of the limit, so that one connection too many \
            would be refused.

            Examples:
              headroom verify
              headroom verify --full --yes --json
              headroom verify --cycles 2000 --json
              headroom verify --pressure --processes 4 --tasks 8 --seconds 10
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Take the five quick steps; the default.")
    var quick = false

    @Flag(help: "Take all steps, drills included.")
    var full = false

    @Flag(help: "With --full: let drills use over half of what is free without asking.")
    var yes = false

    @Option(help: "How many times to open, query and close (default: 200); with --full for its own step.")
    var cycles: Int?

    @Option(help: "With --cycles: how many further connections to hold open meanwhile, so that fewer are left.")
    var hold: Int?

    @Flag(help: "Drill the budget that processes share, instead of cycles.")
    var pressure = false

    @Option(help: "With --pressure: how many processes.")
    var processes = 8

    @Option(help: "With --pressure: how many tasks in each process.")
    var tasks = 16

    @Option(help: "With --pressure: for how long, at most 600.")
    var seconds = 10

    @Option(help: "With --pressure: for how many milliseconds each query keeps the server, at most 1000.")
    var queryTime = 0

    @Flag(help: .hidden)
    var worker = false

    /// The full run's child that holds a slot until it is killed.
    @Flag(help: .hidden)
    var holdSlot = false

    /// The full run's child that tries a lock which its parent may have.
    @Option(help: .hidden)
    var tryLock: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard [quick, full, pressure].count(where: \.self) <= 1 else {
            throw ValidationError("--quick, --full and --pressure are three different runs: name one.")
        }
        guard !connection.files.askPass || !(full || pressure) else {
            throw ValidationError(
                "--ask-pass asks one program, and this run starts others: put DB_PASSWORD into a file."
            )
        }
        guard !(quick && cycles != nil) else { throw ValidationError("--cycles is a drill, and --quick has none.") }
        guard cycles ?? 1 >= 1 else { throw ValidationError("--cycles must be at least 1.") }
        guard hold ?? 0 >= 0 else { throw ValidationError("--hold must be at least 0.") }
        guard (1...64).contains(processes) else { throw ValidationError("--processes must be from 1 to 64.") }
        guard (1...1_000).contains(tasks) else { throw ValidationError("--tasks must be from 1 to 1000.") }
        guard (1...600).contains(seconds) else { throw ValidationError("--seconds must be from 1 to 600.") }
        guard (0...1_000).contains(queryTime) else { throw ValidationError("--query-time must be from 0 to 1000.") }
    }

    func run() async throws {
        try await runCommand {
            let loaded = try connection.loaded(program: "headroom verify")
            let settings = loaded.database
            if holdSlot {
                // Until it is killed; it ends by itself when its parent is no more.
                var settings = settings
                settings.waitTimeout = min(settings.waitTimeout, .seconds(5))
                try await Database(settings)
                    .withConnection(label: "verify: to be killed") { _ in try await Task.sleep(for: .seconds(30)) }
            } else if let tryLock {
                try await tryToLock(tryLock, settings)
            } else if pressure {
                try await drillPressure(settings)
            } else if full || (cycles == nil && hold == nil) {
                try await testSelf(loaded)
            } else {
                try await drillCycles(settings)
            }
        }
    }

    private func tryToLock(_ name: String, _ settings: DatabaseSettings) async throws {
        do {
            _ = try await HostLock.acquire(
                name,
                stateFolder: settings.stateFolder,
                program: settings.programName,
                timeout: .zero
            )
        } catch let error as DatabaseError where error.code == .lockTaken {
            throw ExitCode(SelfTest.isTaken)
        }
    }

    private func testSelf(_ loaded: LoadedSettings) async throws {
        let isJSON = json
        let test = SelfTest(loaded, connection, cycles: cycles, isYes: yes) { report in
            guard !isJSON else { return }
            for line in report.lastStep { Console.print(line) }
            // Somebody reads along, and what comes next may take seconds.
            fflush(nil)
            for line in report.lastProblem { Console.error(line) }
        }
        try await full ? test.full() : test.quick()
        try Console.emit(test.report, asJSON: json)
        if !test.report.hasPassed { throw ExitCode(1) }
    }

    private func drillPressure(_ settings: DatabaseSettings) async throws {
        let drill = PressureRun(
            settings: settings,
            connection: connection,
            processes: processes,
            tasks: tasks,
            duration: .seconds(seconds),
            queryMilliseconds: queryTime
        )
        if worker { return try await drill.runWorker() }
        let bar = Mutex(ProgressBar())
        let report = try await drill.run { share in
            bar.withLock { $0.show(share, "\(counted(processes * tasks, "task")) in \(processes) processes") }
        }
        bar.withLock { $0.finish() }
        try Console.emit(report, asJSON: json)
        if report.result.refused > 0, !json {
            Console.error("headroom: the server refused connections although they had slots")
            Console.error("  next: other programs use the account too (headroom status), or set HEADROOM_RESERVE")
        }
        if let error = report.result.firstError, !json { Console.error("headroom: \(error)") }
        if !report.isGood { throw ExitCode(1) }
    }

    private func drillCycles(_ settings: DatabaseSettings) async throws {
        let cycles = cycles ?? 200
        let options = try await AccountWatch(settings).options()
        if let most = CycleDrill.mostCycles(under: options), cycles > most {
            throw DatabaseError(
                .hourlyLimitReached,
                message: "\(grouped(cycles)) cycles could use up the account's hourly limit and lock it out.",
                advice: "Run at most half of the limit: --cycles \(most)."
            )
        }
        var bar = ProgressBar()
        let result = try await CycleDrill(settings, cycles: cycles, held: hold ?? 0)
            .run { done in
                if cycles >= 1_000, done % 50 == 0 || done == cycles {
                    bar.show(Double(done) / Double(cycles), "\(grouped(done)) cycles")
                }
            }
        bar.finish()
        try Console.emit(result, asJSON: json)
        if let refusal = result.lastRefusal, !json {
            Console.error("headroom: \(refusal.message)")
            Console.error("  next: other programs use the account too, or something does not let go: headroom status")
        }
        if result.refused > 0 { throw ExitCode(1) }
    }
}

extension VerifyReport: Report {
    package var json: JSONObject {
        [
            "mode": isFull ? "full" : "quick", "has_passed": hasPassed, "passed": count(.passed),
            "failed": count(.failed), "skipped": count(.skipped),
            "steps": steps.map { step, finding, duration -> JSONObject in
                [
                    "name": step.rawValue, "what": step.what, "result": finding.result.rawValue, "why": finding.why,
                    "next": finding.next, "milliseconds": (duration.seconds * 1e6).rounded() / 1e3,
                ]
            },
        ]
    }

    package var lines: [String] {
        let skipped = count(.skipped)
        return [
            "\(hasPassed ? "PASS" : "FAIL")  \(count(.passed)) passed, \(count(.failed)) failed"
                + (skipped > 0 ? ", \(skipped) skipped" : "")
        ]
    }

    /// The step that is just over.
    fileprivate var lastStep: [String] {
        steps.suffix(1)
            .map { step, finding, duration in
                let word = [.passed: "pass   ", .failed: "FAIL   ", .skipped: "skipped"][finding.result] ?? ""
                return "\(word)  \(step.what): \(printable(finding.why)) (\(fixed(duration.seconds * 1000, 1)) ms)"
            }
    }

    /// What went wrong in it, and what to do next.
    fileprivate var lastProblem: [String] {
        guard let (step, finding, _) = steps.last, finding.result != .passed else { return [] }
        let problem = finding.result == .failed ? ["headroom: \(step.rawValue): \(finding.why)"] : []
        return problem + (finding.next.isEmpty ? [] : ["  next: \(finding.next)"])
    }
}

extension CycleDrill.Result: Report {
    package var json: JSONObject {
        [
            "cycles": cycles, "refused": refused, "median_microseconds": (median.seconds * 1e7).rounded() / 10,
            "p99_microseconds": (p99.seconds * 1e7).rounded() / 10,
        ]
    }

    package var lines: [String] {
        [
            "\(refused == 0 ? "PASS" : "FAIL")  \(grouped(cycles)) open-query-close cycles, \(grouped(refused)) refused; "
                + "median \(median.microseconds) us, 99 % within \(p99.microseconds) us"
        ]
    }
}
