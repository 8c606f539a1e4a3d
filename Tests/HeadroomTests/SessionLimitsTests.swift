import Testing

@testable import Headroom

/// What a session is told about how long it and its statements may last.
@Suite struct SessionLimitsTests {
    @Test func `a session is told how long it may do nothing, in whole seconds`() {
        var maria = SessionLimits(isMariaDB: true, idle: .milliseconds(2_500))
        #expect(maria.beginning(scope: nil) == "SET SESSION wait_timeout = 3, idle_transaction_timeout = 3")
        // MySQL has no limit for idle transactions.
        var mysql = SessionLimits(isMariaDB: false, idle: .milliseconds(10))
        #expect(mysql.beginning(scope: nil) == "SET SESSION wait_timeout = 1")
    }

    @Test func `a scope's deadline goes with it, a little later than the client's own`() {
        var maria = SessionLimits(isMariaDB: true, idle: .seconds(9))
        #expect(
            maria.beginning(scope: .seconds(10))
                == "SET SESSION wait_timeout = 9, idle_transaction_timeout = 9, max_statement_time = 11.500"
        )
        var mysql = SessionLimits(isMariaDB: false, idle: .seconds(9))
        #expect(
            mysql.beginning(scope: .seconds(10))
                == "SET SESSION wait_timeout = 9, max_execution_time = 11500, innodb_lock_wait_timeout = 12"
        )
    }

    @Test func `like deadlines are told once, much shorter or longer ones again`() {
        var limits = SessionLimits(isMariaDB: true, idle: .seconds(9))
        #expect(limits.change(for: nil) == nil)
        #expect(limits.change(for: .seconds(3)) == "SET SESSION max_statement_time = 3.800")
        #expect(limits.change(for: .milliseconds(2_900)) == nil)
        #expect(limits.change(for: .milliseconds(3_700)) == nil)
        #expect(limits.change(for: .seconds(4)) == "SET SESSION max_statement_time = 4.900")
        #expect(limits.change(for: .milliseconds(100)) == "SET SESSION max_statement_time = 0.610")
        #expect(limits.change(for: nil) == "SET SESSION max_statement_time = 0.000")
        #expect(limits.change(for: nil) == nil)
    }
}
