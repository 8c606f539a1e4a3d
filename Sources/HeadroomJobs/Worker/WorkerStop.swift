import Synchronization

/// Tells a worker to stop once what it has in hand is committed.
public final class WorkerStop: Sendable {
    private struct State {
        var isRequested = false
        var wake: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// Creates a stop that nobody has asked for yet.
    public init() {}

    /// Whether the worker is to stop.
    public var isRequested: Bool { state.withLock(\.isRequested) }

    /// Asks the worker to stop; one that sleeps wakes up.
    public func request() {
        let wake = state.withLock { state in
            state.isRequested = true
            return state.wake
        }
        wake?()
    }

    /// Runs something that takes long, and cancels it when the stop is requested.
    ///
    /// - Returns: What it returns; `nil` when it was cancelled or failed.
    func unlessRequested<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async -> Result? {
        let task = Task { try await body() }
        let isRequested = state.withLock { state in
            state.wake = { task.cancel() }
            return state.isRequested
        }
        if isRequested { task.cancel() }
        let result = await withTaskCancellationHandler {
            await task.result
        } onCancel: {
            task.cancel()
        }
        state.withLock { $0.wake = nil }
        return try? result.get()
    }
}
