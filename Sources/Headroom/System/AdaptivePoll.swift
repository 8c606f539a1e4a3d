/// Decides whether a wait is worth a short poll on the calling thread before the task is suspended.
///
/// A server on the same machine often answers within a few microseconds, and suspending a task costs two thread wake-ups,
/// some 20 more. So a wait first polls for 10 microseconds (the kernel's timer slack adds up to 50), which is too short to
/// matter to the other tasks of the thread. Polling for longer was measured to be slower, not faster: `scripts/bench cycle`
/// gave 1.14 times C at 50 microseconds, 1.0 at 20 and 0.95 at 10. When a server turns out to be slower than that the polls
/// stop, but for one wait in 32, to notice when it is near again.
struct AdaptivePoll {
    /// The longest that one poll may take.
    static let limit: Duration = .microseconds(10)

    private var misses = 0

    /// Whether the next wait should poll first.
    mutating func shouldPoll() -> Bool {
        guard misses >= 4 else { return true }
        misses += 1
        return misses % 32 == 0
    }

    /// Takes note of whether the poll saw the answer.
    mutating func polled(answered: Bool) {
        misses = answered ? 0 : misses + 1
    }
}

/// Waits until the descriptor is ready, first inline for a moment, then suspended.
///
/// Never inline on the event loop's thread: all other tasks would wait too, and being suspended there costs next to nothing.
func waitUntilReady(
    _ descriptor: Int32,
    events: Int32,
    until deadline: ContinuousClock.Instant?,
    cancellable: Bool,
    inline: inout AdaptivePoll,
    stoppable: StoppableWait? = nil
) async -> EventLoop.Outcome {
    if stoppable?.isStopped != true, !EventLoop.shared.isOnThread, inline.shouldPoll() {
        let answered = EventQueue.poll(descriptor, events: events, within: AdaptivePoll.limit)
        inline.polled(answered: answered)
        if answered { return .ready }
    }
    return await EventLoop.shared.wait(
        for: descriptor,
        events: events,
        until: deadline,
        cancellable: cancellable,
        stoppable: stoppable
    )
}
