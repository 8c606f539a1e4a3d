/// Decides whether what has failed is tried again, and after which pause: one for every loop that goes on after an error.
///
/// It waits for nothing and reads no clock; its caller says how much time has passed.
package struct RetryPolicy: Sendable {
    private let classes: Set<Retry>
    private let mayRunTwice: Bool
    private let numbers: Set<Int>
    private let exceptions: Set<Int>
    private let most: Int?
    private let time: Duration?
    private let first: Duration
    private var backoff: Backoff
    private var tries = 0

    /// Creates a policy.
    ///
    /// - Parameters:
    ///   - classes: What may be tried again.
    ///   - mayRunTwice: Whether the body changes nothing when it comes a second time, so that it is run again also where
    ///     it is not known what the first left behind.
    ///   - numbers: Error numbers that are tried again in this place only.
    ///   - exceptions: Error numbers that are not tried again in this place.
    ///   - most: How many times in a row; `nil` for any number.
    ///   - time: For how long since the last success; `nil` for ever.
    ///   - first: The first pause's bound.
    ///   - longest: The longest pause's.
    package init(
        of classes: Set<Retry>,
        mayRunTwice: Bool = false,
        numbers: Set<Int> = [],
        except exceptions: Set<Int> = [],
        most: Int? = nil,
        within time: Duration? = nil,
        first: Duration = .milliseconds(10),
        longest: Duration = .milliseconds(250)
    ) {
        self.classes = classes
        self.mayRunTwice = mayRunTwice
        self.numbers = numbers
        self.exceptions = exceptions
        self.most = most
        self.time = time
        self.first = first
        backoff = Backoff(first: first, most: longest)
    }

    /// How long to wait before the next attempt.
    ///
    /// - Parameters:
    ///   - error: What the last one failed with.
    ///   - elapsed: The time since the last success, or since the first attempt.
    ///   - jitter: From 0 to 1: spreads those that failed together.
    /// - Returns: The pause; `nil` when the error is to be thrown on.
    package mutating func pause(
        after error: DatabaseError,
        elapsed: Duration = .zero,
        jitter: Double = .random(in: 0...1)
    ) -> Duration? {
        guard numbers.contains(error.serverCode ?? 0) || classes.contains(error.retry),
            !exceptions.contains(error.serverCode ?? 0), mayRunTwice || !ErrorTable.leavesDoubt.contains(error.code)
        else { return nil }
        guard most.map({ tries < $0 }) ?? true, time.map({ elapsed < $0 }) ?? true else { return nil }
        tries += 1
        return backoff.next(jitter: jitter)
    }

    /// Begins anew after a success.
    package mutating func succeeded() {
        tries = 0
        backoff = Backoff(first: first, most: backoff.most)
    }

    /// Runs a body again for as long as the policy has it; by default a transaction that was undone, 20 times.
    ///
    /// A lock that did not come free (1205) is no race: it has been waited for already, and by default is no reason to try again.
    ///
    /// - Parameters:
    ///   - policy: What may be tried again, and how often.
    ///   - body: What is run; it leaves nothing behind when it fails.
    /// - Returns: What the body returns.
    /// - Throws: What the body throws, when that is not to be tried again or was too often; `CancellationError`.
    package static func run<Result>(
        _ policy: RetryPolicy = RetryPolicy(of: [.transaction], except: [1205], most: 20),
        _ body: () async throws -> Result
    ) async throws -> Result {
        var policy = policy
        while true {
            do {
                return try await body()
            } catch let error as DatabaseError {
                guard let pause = policy.pause(after: error) else { throw error }
                try await Task.sleep(for: pause)
            }
        }
    }
}

/// The lengths of the waits between attempts: random between nothing and a bound that doubles (full jitter).
package struct Backoff: Sendable {
    private var bound: Duration

    /// The longest bound.
    package let most: Duration

    /// Begins with a bound of its own.
    package init(first: Duration = .milliseconds(2), most: Duration = .milliseconds(250)) {
        bound = min(first, most)
        self.most = most
    }

    /// The next wait.
    ///
    /// - Parameter jitter: From 0 to 1; where in the bound it falls.
    /// - Returns: The wait.
    package mutating func next(jitter: Double = .random(in: 0...1)) -> Duration {
        defer { bound = min(bound * 2, most) }
        return .nanoseconds(Int(clamped: Double(bound.nanoseconds) * min(max(jitter, 0), 1)))
    }
}
