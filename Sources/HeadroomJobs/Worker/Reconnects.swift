import Headroom

/// Decides how often a worker whose connection is lost in the middle of a job opens another one.
final class Reconnects {
    /// How many connections in a row may be lost to the same piece of work.
    private static let mostLosses = 10

    /// It tries to reach the database for 5 minutes; after that another worker takes the job over.
    private var retry = RetryPolicy(
        of: [.later, .otherNode, .transaction],
        mayRunTwice: true,
        within: .seconds(300),
        first: .milliseconds(200),
        longest: .seconds(5)
    )
    private var start = ContinuousClock.now
    private var losses = 0

    /// Whether the work itself must be what loses the connections, such as a statement that the server does not take.
    private(set) var hasRunOut = false

    /// A connection is there, and the work goes on with it.
    func begin() {
        losses += 1
        hasRunOut = losses > Self.mostLosses
        start = .now
    }

    /// A piece of the work is done.
    func gotOn() {
        losses = 0
        retry.succeeded()
        start = .now
    }

    /// How long to wait before the next connection; `nil` when it has been tried for long enough.
    func pause(after error: DatabaseError) -> Duration? {
        // What the server will not take again ends the job, for which it takes a connection.
        if error.retry == .never { hasRunOut = true }
        let cause = hasRunOut ? DatabaseError(.connectionLost, message: error.message) : error
        return retry.pause(after: cause, elapsed: start.duration(to: .now))
    }
}
