import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomJobs
import HeadroomWatch

/// `headroom verify [--quick|--full]`: the steps, as they are printed.
struct VerifySteps {
    let loaded: LoadedSettings
    let connection: ConnectionOptions
    let cycles: Int?
    let isYes: Bool

    /// Runs the steps and prints each as soon as it is over, or all as JSON.
    ///
    /// - Throws: `ExitCode` unless all passed, `CancellationError`.
    func run(isFull: Bool, isJSON: Bool) async throws {
        let verify = verify
        let note: (VerifyStep) -> Void = { if !isJSON { Self.print($0) } }
        let verdict = try await isFull ? verify.full(note) : verify.quick(note)
        if isJSON {
            try Console.json(Headed(VerifyJSON(verdict, isFull: isFull)))
        } else {
            let skipped = verdict.count(.skipped)
            Console.print(
                "\(verdict.hasPassed ? "PASS" : "FAIL")  \(verdict.count(.passed)) passed, "
                    + "\(verdict.count(.failed)) failed\(skipped > 0 ? ", \(skipped) skipped" : "")"
            )
        }
        if !verdict.hasPassed { throw ExitCode(1) }
    }

    private var verify: Verify {
        var verify = Verify(loaded.database)
        verify.administrator = loaded.administrator
        verify.warnings = loaded.warnings
        verify.settingsFiles = connection.settingsFiles
        verify.childArguments = connection.arguments
        verify.cycles = cycles ?? verify.cycles
        verify.queue = Verify.Queue(tables: JobsSchema.tables.map(\.name)) { connection in
            try await connection.query("SELECT COUNT(*) FROM import_jobs WHERE status IN ('queued', 'processing')")
                .first(Int.self) ?? 0
        }
        let isYes = isYes
        verify.mayUseMuch = { question in
            if isYes { return .yes }
            switch try await Question.ask(question) {
            case true?: return .yes
            case false?: return .no
            case nil: return .nobody
            }
        }
        return verify
    }

    private static func print(_ step: VerifyStep) {
        let word =
            switch step.result {
            case .passed: "pass   "
            case .failed: "FAIL   "
            case .skipped: "skipped"
            }
        let milliseconds = fixed(step.duration.seconds * 1000, 1)
        Console.print("\(word)  \(step.what): \(printable(step.why)) (\(milliseconds) ms)")
        // Somebody reads along, and what comes next may take seconds.
        fflush(nil)
        guard step.result != .passed else { return }
        if step.result == .failed { Console.error("headroom: \(step.name): \(printable(step.why))") }
        if !step.next.isEmpty { Console.error("  next: \(printable(step.next))") }
    }
}

/// What the steps came to, as JSON.
struct VerifyJSON: Encodable {
    var mode: String
    var hasPassed: Bool
    var passed: Int
    var failed: Int
    var skipped: Int
    var steps: [Step]

    struct Step: Encodable {
        var name: String
        var what: String
        var result: String
        var why: String
        var next: String
        var milliseconds: Double
    }

    init(_ verdict: VerifyVerdict, isFull: Bool) {
        mode = isFull ? "full" : "quick"
        hasPassed = verdict.hasPassed
        passed = verdict.count(.passed)
        failed = verdict.count(.failed)
        skipped = verdict.count(.skipped)
        steps = verdict.steps.map { step in
            Step(
                name: step.name,
                what: step.what,
                result: step.result.rawValue,
                why: step.why,
                next: step.next,
                milliseconds: (step.duration.seconds * 1e6).rounded() / 1e3
            )
        }
    }
}
