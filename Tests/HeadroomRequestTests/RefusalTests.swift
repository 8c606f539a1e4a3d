import HTTPTypes
import Headroom
import Testing

@testable import HeadroomRequest

/// What a client is told when its request could not have the database.
@Suite("What a refused client is told")
struct RefusalTests {
    private let calm = Refusal.Load(waited: .seconds(2), waiting: 0, slots: 9, use: .milliseconds(3))

    private func refusal(_ code: DatabaseError.Code, _ load: Refusal.Load? = nil, jitter: Double = 0) -> Refusal? {
        let error = DatabaseError(code, message: "The account 'app' at /run/secret.sock", advice: "DB_PASSWORD")
        return Refusal(error, load: load ?? calm, jitter: jitter)
    }

    @Test("Each kind of refusal has its status; what waiting does not cure has no Retry-After")
    func statuses() {
        let expected: [(DatabaseError.Code, Int?, Int?)] = [
            (.budgetExhausted, 503, 2), (.accountLimitReached, 503, 2), (.userLimitReached, 503, 2),
            (.serverLimitReached, 503, 2), (.hourlyLimitReached, 503, 3_600), (.serverUnreachable, 503, 5),
            (.socketNotFound, 503, 5), (.connectTimedOut, 503, 5), (.connectionLost, 503, 5), (.hostBlocked, 503, nil),
            (.deadlineExceeded, 504, nil), (.accessDenied, nil, nil), (.statementFailed, nil, nil),
            (.databaseUnknown, nil, nil), (.connectionBusy, nil, nil), (.settingsInvalid, nil, nil),
        ]
        for (code, status, retryAfter) in expected {
            let refusal = refusal(code)
            #expect(refusal?.status.code == status, "\(code)")
            #expect(refusal?.retryAfter == retryAfter, "\(code)")
        }
    }

    @Test("A client reads no name of an account, a host or a path")
    func names() {
        for code in [DatabaseError.Code.budgetExhausted, .hourlyLimitReached, .serverUnreachable, .deadlineExceeded] {
            let message = refusal(code)?.message ?? ""
            #expect(!message.contains("app") && !message.contains("sock") && !message.contains("DB_"), "\(message)")
        }
    }

    @Test(
        "Retry-After is at least the wait that was in vain, longer with a long line, spread at random, a minute at most"
    )
    func retryAfter() {
        func seconds(_ waiting: Int, _ use: Duration?, jitter: Double = 0, slots: Int? = 9) -> Int? {
            let load = Refusal.Load(waited: .milliseconds(1_500), waiting: waiting, slots: slots, use: use)
            return refusal(.budgetExhausted, load, jitter: jitter)?.retryAfter
        }
        #expect(seconds(0, nil) == 2)
        #expect(seconds(0, .milliseconds(5)) == 2)
        #expect(seconds(0, .milliseconds(5), jitter: 0.99) == 3)
        // 89 others before it and 9 places of half a second each: 5 s.
        #expect(seconds(89, .milliseconds(500)) == 5)
        #expect(seconds(89, .milliseconds(500), jitter: 0.99) == 8)
        #expect(seconds(500, .seconds(10)) == 60)
        #expect(seconds(0, .seconds(10), slots: nil) == 10)
        let instant = Refusal.Load(waited: .zero, waiting: 0, slots: 9, use: nil)
        #expect(refusal(.budgetExhausted, instant)?.retryAfter == 1)
    }
}
