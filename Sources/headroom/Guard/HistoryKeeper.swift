import Headroom
import HeadroomHistory
import HeadroomWatch
import Synchronization

/// Writes the history as far as it can be written: a full disk or a broken file is no reason not to watch.
actor HistoryKeeper {
    private let file: String
    private let days: Int
    private var history: GuardHistory?
    private var roundsSincePruning = 0

    /// After how many rounds the history is pruned.
    private static let pruneEvery = 100

    private let reason = Reason()

    init(_ file: String, days: Int) {
        self.file = file
        self.days = days
    }

    /// Why the history could not be written; `nil` when it could, or nothing has been written yet.
    nonisolated var problem: String? { reason.text }

    /// What the guard had said and seen when it last wrote; of nothing when that cannot be read.
    func memory() async -> GuardMemory {
        await attempt { try await $0.memory() } ?? GuardMemory()
    }

    /// Adds what a look came to, and prunes now and then, the first time too.
    func add(_ round: GuardRound) async {
        await attempt { history in
            try await history.add(round)
            if roundsSincePruning == 0 { try await history.prune(at: round.sample.time) }
            roundsSincePruning = (roundsSincePruning + 1) % Self.pruneEvery
        }
    }

    @discardableResult
    private func attempt<Result: Sendable>(
        _ body: (GuardHistory) async throws -> Result?
    ) async -> Result? {
        do {
            let open = try history ?? GuardHistory(file, days: days)
            history = open
            let result = try await body(open)
            reason.text = nil
            return result
        } catch {
            reason.text = "\(file): \(error)"
            return nil
        }
    }

    private final class Reason: Sendable {
        private let value = Mutex<String?>(nil)

        var text: String? {
            get { value.withLock(\.self) }
            set { value.withLock { $0 = newValue } }
        }
    }
}
