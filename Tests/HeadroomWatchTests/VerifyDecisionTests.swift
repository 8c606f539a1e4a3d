import Headroom
import Testing

@testable import HeadroomWatch

/// What the steps of `verify --full` make of what they see: decisions alone, no server.
@Suite struct VerifyDecisionTests {
    private func isFailed(_ finding: Finding) -> Bool { finding.result == .failed }

    private func isPassed(_ finding: Finding) -> Bool { finding.result == .passed }

    @Test func `an account with SUPER or all rights on the server has too much`() {
        for line in [
            "GRANT SUPER ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*94BDCEBE19083CE2A1F959FD02F964C7AF4CFC29'",
            "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION",
            "GRANT SELECT, SUPER, PROCESS ON *.* TO `a`@`%`",
            "GRANT SELECT ON *.* TO `a`@`%` WITH GRANT OPTION",
        ] {
            let finding = Finding.grants([line])
            #expect(isFailed(finding), "\(line)")
            #expect(!"\(finding)".contains("94BD"), "a password's hash is never shown")
        }
        // All rights on its own database are what an application has.
        let own = [
            "GRANT USAGE ON *.* TO `a`@`%` WITH MAX_USER_CONNECTIONS 10", "GRANT ALL PRIVILEGES ON `app`.* TO `a`@`%`",
        ]
        #expect(isPassed(Finding.grants(own)))
    }

    @Test func `where PROCESS is missing it is said what it would show`() {
        #expect("\(Finding.grants(["GRANT USAGE ON *.* TO `a`@`%`"]))".contains("in a transaction"))
        #expect(
            Finding.grants(["GRANT PROCESS ON *.* TO `a`@`%`"]) == .passed("PROCESS is there, nothing is excessive")
        )
    }

    @Test func `a budget over the limit fails, and so does one that leaves no reserve`() {
        func check(_ limit: Int?, configured: Int? = nil, reserve: Int = 1, shared: Int) -> Finding {
            .budget(
                AccountLimit(value: limit, source: .account),
                configured: configured,
                reserve: reserve,
                shared: shared,
                foreign: 0
            )
        }
        #expect(isPassed(check(10, shared: 9)))
        #expect(isPassed(check(10, reserve: 0, shared: 10)))
        #expect(isPassed(check(1, shared: 1)))
        #expect(isPassed(check(2, reserve: 5, shared: 1)))
        #expect(isFailed(check(10, shared: 10)))
        #expect(isFailed(check(10, shared: 11)))
        // Another program's smaller budget hides this one's until that program ends.
        #expect(isFailed(check(10, configured: 20, shared: 5)))
        #expect(check(nil, shared: 5) == .skipped("the account's limit is not known"))
    }

    @Test func `files that others may write, or that a group cannot share, are wrong`() {
        func rights(_ mode: UInt32, isUsable: Bool = true) -> FileRights {
            FileRights(path: "/x", mode: mode, isUsable: isUsable)
        }
        #expect(rights(0o640).problemOfSettings == nil)
        #expect(rights(0o646).problemOfSettings != nil)
        let (own, shared) = (rights(0o700), rights(0o2770))
        #expect(own.problemOfFolder == nil)
        #expect(shared.problemOfFolder == nil)
        #expect(rights(0o770).problemOfFolder?.contains("g+s") == true)
        #expect(rights(0o777).problemOfFolder != nil)
        #expect(rights(0o700, isUsable: false).problemOfFolder != nil)
        #expect(rights(0o600).problem(in: own) == nil)
        #expect(rights(0o600).problem(in: shared)?.contains("g+rw") == true)
        #expect(rights(0o660).problem(in: shared) == nil)
    }

    @Test func `clocks more than 2 s apart fail, and a slow round trip is not taken for that`() {
        #expect(isPassed(.clock(before: 0, server: 4_000_000, after: 5_000_000)))
        #expect(isPassed(.clock(before: 0, server: 2_000_100, after: 100)))
        #expect(isFailed(.clock(before: 0, server: 2_000_101, after: 100)))
        #expect(isFailed(.clock(before: 3_000_000, server: 900_000, after: 3_000_100)))
    }
}
