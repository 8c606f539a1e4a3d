import ArgumentParser
import Glibc
import HeadroomJobs
import Synchronization

/// Ends a worker in steps.
///
/// The first signal lets it store what it has in hand, for at most 1.5 s; what takes longer, such as a wait for another session's
/// lock, is given up, and the job given back. The second signal ends it at once.
final class WorkerStopping: Sendable {
    private struct State {
        var stop: WorkerStop?
        var cancel: (@Sendable () -> Void)?
        var signal: Int32?
        var hasJob = false
        var isReload = false
    }

    private let state = Mutex(State())

    /// The exit code of a command that was told to stop before it was done; `nil` when it was not.
    var exitCode: ExitCode? { state.withLock(\.signal).map { ExitCode(128 + $0) } }

    /// Whether the worker was to stop only to begin again with the settings as they are now (SIGHUP); asks once.
    func takeReload() -> Bool {
        state.withLock { state in
            defer { (state.isReload, state.stop, state.cancel) = (false, nil, nil) }
            return state.isReload && state.signal == nil
        }
    }

    /// Whether SIGHUP has a service read its settings again, as a terminal that closes is none.
    private let reloads = isatty(STDIN_FILENO) == 0

    /// Takes note of what the worker has in hand.
    func note(_ event: Worker.Event) {
        switch event {
        case .started: state.withLock { $0.hasJob = true }
        case .ended: state.withLock { $0.hasJob = false }
        default: break
        }
    }

    /// Has a worker work, for as long as it may.
    ///
    /// - Parameters:
    ///   - stop: What tells the worker to stop.
    ///   - work: What it does.
    /// - Returns: What that returns; `nil` when it was given up.
    /// - Throws: What it throws; `CancellationError` when cancelled by something else.
    func run<Result: Sendable>(
        _ stop: WorkerStop,
        _ work: @escaping @Sendable () async throws -> Result
    ) async throws -> Result? {
        let task = Task { try await work() }
        let isRequested = state.withLock { state in
            (state.stop, state.cancel) = (stop, task.cancel)
            return state.signal != nil || state.isReload
        }
        if isRequested { stop.request() }
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch is CancellationError where stop.isRequested {
            return nil
        }
    }

    /// Takes a signal; returns whether that is all there is to do.
    func take(_ number: Int32) -> Bool { take(number, canReload: false) }

    /// The same for a worker that may read its settings again.
    func take(_ number: Int32, canReload: Bool) -> Bool {
        if number == SIGHUP, canReload, reloads {
            let (stop, cancel, hasJob) = state.withLock { state in
                state.isReload = true
                return (state.stop, state.cancel, state.hasJob)
            }
            stop?.request()
            if !hasJob { cancel?() }
            return true
        }
        let (stop, cancel, isFirst, hasJob) = state.withLock { state in
            defer { if state.signal == nil { state.signal = number } }
            return (state.stop, state.cancel, state.signal == nil, state.hasJob)
        }
        guard let stop else { return false }
        guard isFirst else { _exit(128 + number) }
        stop.request()
        // Without a job in hand it may be waiting for a slot.
        guard hasJob else {
            cancel?()
            return true
        }
        Task {
            // A chunk takes milliseconds. Whatever takes longer is given up, and the server ends it.
            try? await Task.sleep(for: .milliseconds(1500))
            cancel?()
            // A supervisor kills what has not ended after 10 s.
            try? await Task.sleep(for: .milliseconds(6500))
            _exit(128 + number)
        }
        return true
    }
}
