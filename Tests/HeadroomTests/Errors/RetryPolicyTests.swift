import Testing

@testable import Headroom

/// What is tried again, how often and after which pauses is decided in one place, by the table.
@Suite struct RetryPolicyTests {
    private let deadlock = DatabaseError(.statementFailed, message: "", serverCode: 1213)
    private let full = DatabaseError(.accountLimitReached, message: "", serverCode: 1226)
    private let lost = DatabaseError(.connectionLost, message: "", serverCode: 2013)
    private let undone = DatabaseError(.transactionLost, message: "")
    private let wrong = DatabaseError(.statementFailed, message: "", serverCode: 1064)

    @Test func `only the classes that were asked for are tried again`() {
        var policy = RetryPolicy(of: [.transaction])
        #expect(policy.pause(after: deadlock) != nil)
        #expect(policy.pause(after: full) == nil && policy.pause(after: wrong) == nil)
        policy = RetryPolicy(of: [.later], numbers: [1690])
        #expect(policy.pause(after: full) != nil && policy.pause(after: deadlock) == nil)
        #expect(policy.pause(after: DatabaseError(.statementFailed, message: "", serverCode: 1690)) != nil)
    }

    @Test func `what may have taken effect is tried again only where that does no harm`() {
        for error in [lost, undone] {
            var once = RetryPolicy(of: Set(Retry.allCases))
            #expect(once.pause(after: error) == nil)
            var twice = RetryPolicy(of: Set(Retry.allCases), mayRunTwice: true)
            #expect(twice.pause(after: error) != nil)
        }
    }

    @Test func `it ends after its tries, anew after each success`() {
        var policy = RetryPolicy(of: [.transaction], most: 3)
        for _ in 0..<2 {
            for _ in 0..<3 { #expect(policy.pause(after: deadlock) != nil) }
            #expect(policy.pause(after: deadlock) == nil)
            policy.succeeded()
        }
    }

    @Test func `it ends after its time`() {
        var policy = RetryPolicy(of: [.later], within: .seconds(300))
        #expect(policy.pause(after: full, elapsed: .milliseconds(299_999)) != nil)
        #expect(policy.pause(after: full, elapsed: .seconds(300)) == nil)
    }

    @Test func `the pause's bound doubles up to the longest, and the pause lies anywhere below it`() {
        var policy = RetryPolicy(of: [.later], first: .milliseconds(10), longest: .milliseconds(35))
        let pauses = (0..<4).map { _ in policy.pause(after: full, jitter: 1) }
        #expect(pauses == [.milliseconds(10), .milliseconds(20), .milliseconds(35), .milliseconds(35)])
        #expect(policy.pause(after: full, jitter: 0) == .zero)
        #expect(policy.pause(after: full, jitter: 0.5) == .microseconds(17_500))
        policy.succeeded()
        #expect(policy.pause(after: full, jitter: 1) == .milliseconds(10))
        var endless = Backoff(first: .seconds(Int64.max), most: .seconds(Int64.max))
        for jitter in [-1, 0.5, 1, 2] { #expect(endless.next(jitter: jitter) >= .zero) }
    }

    @Test func `a body is run again until it succeeds, and its last error is thrown on`() async throws {
        var attempts = 0
        let value = try await RetryPolicy.run(RetryPolicy(of: [.transaction], most: 5, first: .zero)) {
            attempts += 1
            if attempts < 4 { throw deadlock }
            return attempts
        }
        #expect(value == 4)
        attempts = 0
        await #expect(throws: deadlock) {
            try await RetryPolicy.run(RetryPolicy(of: [.transaction], most: 5, first: .zero)) {
                attempts += 1
                throw deadlock
            }
        }
        #expect(attempts == 6)
        attempts = 0
        await #expect(throws: undone) {
            try await RetryPolicy.run {
                attempts += 1
                throw undone
            }
        }
        #expect(attempts == 1)
    }
}
