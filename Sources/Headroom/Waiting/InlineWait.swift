/// Decides whether a wait is worth a short poll on the calling thread before the task is suspended.
///
/// A server on the same machine answers within some 30 microseconds, and suspending a task costs two thread wake-ups, as
/// much again. So a wait first polls, for at most 50 microseconds: too short to matter to the other tasks of the thread.
/// When a server turns out to be slower than that the polls stop, but for one wait in 32, to notice when it is near again.
struct InlineWait {
    /// The longest that one poll may take.
    static let limit: Duration = .microseconds(50)

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
