import CLibrary

/// Starts a thread that runs `body` once and ends.
///
/// For work that must not run on Swift's cooperative threads, because it sleeps in the kernel.
///
/// - Throws: ``DatabaseError`` with `hostExhausted` when the kernel gives this process no further thread.
package func startDetachedThread(
    named name: String,
    stack: Int = 512 * 1024,
    _ body: @escaping @Sendable () -> Void
) throws(DatabaseError) {
    final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let result = kernel_start_thread(
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            _ = kernel_name_thread(start.name)
            start.body()
            return nil
        },
        start.toOpaque(),
        stack
    )
    guard result == 0 else {
        start.release()
        throw .hostExhausted("thread", error: result)
    }
}

extension DatabaseError {
    /// The kernel refuses this process a thread or a descriptor.
    package static func hostExhausted(_ what: String, error: Int32) -> DatabaseError {
        DatabaseError(
            .hostExhausted,
            message:
                "The host gives this process no further \(what): \(String(cString: strerror(error))) (error \(error))."
        )
    }
}

/// Runs blocking work on a thread of its own, while the task is suspended.
///
/// When the wait is given up, the work goes on: its result is then handed to `discard`, on that thread.
///
/// - Throws: Why the wait was given up, or that there is no thread to be had: then nothing was done.
func onOwnThread<Result: Sendable>(
    named name: String,
    limits: Limits,
    _ work: @escaping @Sendable () -> Result,
    discard: @escaping @Sendable (Result) -> Void
) async throws(Interruption) -> Result {
    let handover = Handover<Result>()
    guard handover.descriptor >= 0 else { throw .exhausted(.hostExhausted("descriptor", error: EMFILE)) }
    do throws(DatabaseError) {
        try startDetachedThread(named: name) {
            handover.put(work()).map(discard)
        }
    } catch {
        throw .exhausted(error)
    }
    var inline = AdaptivePoll()
    let outcome = await waitUntilReady(
        handover.descriptor,
        events: Int32(POLLIN),
        until: limits.deadline,
        cancellable: limits.isCancellable,
        inline: &inline
    )
    // The result may have come in the moment of giving up; it is taken then.
    if let result = handover.take() { return result }
    throw outcome == .cancelled ? .cancelled : .deadlinePassed
}

/// Hands one result from a thread to the task that waits for it, or back to the thread when the task has given up.
private final class Handover<Result: Sendable>: Sendable {
    private enum State {
        /// The work is under way. Transitions: to `ready` by the thread, to `abandoned` by the task.
        case pending
        /// The work is done and waits for its task. Transitions: to `abandoned` when it is taken.
        case ready(Result)
        /// The task has given up. Transitions: none.
        case abandoned
    }

    /// Becomes readable when the result is there.
    var descriptor: Int32 { wakeUp.descriptor }

    private let wakeUp = WakeUp()
    private let state = Locked(State.pending)

    /// Leaves the result, or gives it back when the task has given up.
    func put(_ result: Result) -> Result? {
        state.withLock { state in
            guard case .pending = state else { return result }
            state = .ready(result)
            wakeUp.raise()
            return nil
        }
    }

    /// Takes the result, or notes that the task has given up.
    func take() -> Result? {
        state.withLock { state in
            defer { state = .abandoned }
            guard case .ready(let result) = state else { return nil }
            return result
        }
    }
}
