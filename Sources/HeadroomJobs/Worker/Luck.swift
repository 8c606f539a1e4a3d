/// Decides how often a worker whose connection is lost in the middle of a job opens another one.
final class Luck {
    /// How long it tries to reach the database again: 5 minutes.
    ///
    /// After that it gives up, and the job is taken over by whoever comes next.
    private static let patience: Duration = .seconds(300)

    /// How many connections in a row may be lost to the same piece of work.
    private static let mostLosses = 10

    private var end = ContinuousClock.now + patience
    private var nextPause = Duration.milliseconds(100)
    private var losses = 0

    /// Whether the work itself must be what loses the connections, such as a statement that the server does not take.
    var hasRunOut: Bool { losses > Self.mostLosses }

    /// A connection is there, and the work goes on with it.
    func begin() {
        losses += 1
        end = .now + Self.patience
    }

    /// A piece of the work is done.
    func gotOn() {
        losses = 0
        nextPause = .milliseconds(100)
        end = .now + Self.patience
    }

    /// How long to wait before the next connection; `nil` when it has been tried for long enough.
    func pause() -> Duration? {
        guard ContinuousClock.now < end else { return nil }
        defer { nextPause = min(nextPause * 2, .seconds(5)) }
        return nextPause
    }
}
