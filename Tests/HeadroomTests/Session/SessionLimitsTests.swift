import Testing

@testable import Headroom

/// What a session is told about how long it and its statements may last.
@Suite struct SessionLimitsTests {
    @Test func `a session is told how long it may do nothing, in whole seconds`() {
        var maria = SessionLimits(isMariaDB: true, idle: .milliseconds(2_500))
        #expect(
            maria.beginning(scope: nil).hasSuffix(", SESSION wait_timeout = 3, SESSION idle_transaction_timeout = 3")
        )
        // MySQL has no limit for idle transactions.
        var mysql = SessionLimits(isMariaDB: false, idle: .milliseconds(10))
        #expect(mysql.beginning(scope: nil).hasSuffix(", SESSION wait_timeout = 1"))
    }

    @Test func `a session is told first what its statements rely on`() {
        for isMariaDB in [true, false] {
            var limits = SessionLimits(isMariaDB: isMariaDB, idle: .seconds(9), mark: "mine")
            let statement = limits.beginning(scope: nil)
            #expect(statement.hasPrefix("SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, SESSION autocommit = 1, "))
            #expect(statement.hasSuffix(", @headroom_mark = GET_LOCK('mine', 0)"))
        }
    }

    @Test func `a deadline that never comes is one of a month`() {
        var limits = SessionLimits(isMariaDB: true, idle: .seconds(9))
        #expect(limits.change(for: .seconds(Int64.max)) == "SET SESSION max_statement_time = 2851200.500")
        #expect(limits.change(for: .seconds(-1)) == "SET SESSION max_statement_time = 0.500")
    }

    @Test func `a scope's deadline goes with it, a little later than the client's own`() {
        var maria = SessionLimits(isMariaDB: true, idle: .seconds(9))
        #expect(
            maria.beginning(scope: .seconds(10))
                .hasSuffix(
                    "wait_timeout = 9, SESSION idle_transaction_timeout = 9, SESSION max_statement_time = 11.500"
                )
        )
        var mysql = SessionLimits(isMariaDB: false, idle: .seconds(9))
        #expect(
            mysql.beginning(scope: .seconds(10))
                .hasSuffix("SESSION max_execution_time = 11500, SESSION innodb_lock_wait_timeout = 12")
        )
    }

    @Test
    func `how long it waits for a lock is told once, in whole seconds, and is no longer than a statement on MySQL`() {
        var maria = SessionLimits(isMariaDB: true, idle: .seconds(9))
        #expect(maria.change(lockWait: nil) == nil)
        #expect(
            maria.change(lockWait: .milliseconds(1_200))
                == "SET SESSION lock_wait_timeout = 2, innodb_lock_wait_timeout = 2"
        )
        #expect(maria.change(lockWait: .milliseconds(1_200)) == nil)
        #expect(
            maria.change(lockWait: .zero) == "SET SESSION lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"
        )
        #expect(
            maria.change(lockWait: nil)
                == "SET SESSION lock_wait_timeout = DEFAULT, innodb_lock_wait_timeout = @@global.innodb_lock_wait_timeout"
        )
        var mysql = SessionLimits(isMariaDB: false, idle: .seconds(9))
        _ = mysql.change(lockWait: .seconds(3))
        #expect(
            mysql.change(for: .seconds(100))
                == "SET SESSION max_execution_time = 110500, innodb_lock_wait_timeout = 3"
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
