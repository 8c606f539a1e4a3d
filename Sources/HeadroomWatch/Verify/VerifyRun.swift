import Headroom

/// The steps that a run has taken so far.
struct VerifyRun {
    private(set) var verdict = VerifyVerdict()
    private let note: (VerifyStep) -> Void

    init(_ note: @escaping (VerifyStep) -> Void) {
        self.note = note
    }

    mutating func add(_ step: VerifyStep) {
        verdict.steps.append(step)
        note(step)
    }

    /// Takes a step: whatever goes wrong in it is its failure, and not the end of the run.
    ///
    /// - Throws: `CancellationError`.
    mutating func take(
        _ name: String,
        _ what: String,
        _ body: () async throws -> Finding
    ) async throws {
        let start = ContinuousClock.now
        let finding: Finding
        do {
            finding = try await body()
        } catch let error as CancellationError {
            throw error
        } catch {
            try Task.checkCancellation()
            finding = Finding(error)
        }
        add(finding.step(name, what, start.duration(to: .now)))
    }
}
