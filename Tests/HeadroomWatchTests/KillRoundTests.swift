import Headroom
import Synchronization
import TestSupport
import Testing

@testable import HeadroomWatch

/// Sessions that flip between idle, busy and in a transaction, while idle ones are ended beside them.
@Suite(.sandbox(), .enabled(if: SuiteServer.isMariaDB)) struct KillRoundTests {
    /// What the sessions saw.
    private final class Tally: Sendable {
        struct Counts {
            var killedIdle = 0
            var wrong: [String] = []
            var work = 0
            var isOver = false
        }

        private let counts = Mutex(Counts())

        var current: Counts { counts.withLock { $0 } }

        func change(_ body: @Sendable (inout Counts) -> Void) {
            counts.withLock { body(&$0) }
        }
    }

    /// One program that idles, works and writes, and opens a new connection whenever it has lost one.
    private struct Flipper {
        let database: Database
        let number: Int
        let tally: Tally

        /// How long it idles at most; many times what a KILL takes, as in life.
        let idle: Int

        func run() async throws {
            var mark = number * 10_000_000
            while !tally.current.isOver {
                do {
                    try await database.withConnection { connection in
                        while !tally.current.isOver {
                            mark += 1
                            try await flip(connection, mark)
                        }
                    }
                } catch let error as DatabaseError where error.code == .connectionLost {
                    // Ended while it idled: that is what it is for. Work that was cut counted itself before.
                }
            }
        }

        private func flip(_ connection: Connection, _ mark: Int) async throws {
            switch Int.random(in: 0..<4) {
            case 0:
                // Busy: the mark is in a table that knows no transactions, so it stays when the statement is cut.
                do {
                    try await connection.query(
                        SQL(
                            raw:
                                "BEGIN NOT ATOMIC INSERT INTO marks VALUES (\(mark)); DO SLEEP(0.00\(Int.random(in: 1...9))); END"
                        )
                    )
                } catch let error as DatabaseError where error.code == .connectionLost {
                    try await judge(mark, "busy: session \(connection.sessionID)")
                    throw error
                }
            case 1:
                try await transaction(connection, mark)
            default:
                try await Task.sleep(for: .microseconds(Int.random(in: 0...idle)))
                tally.change { $0.work += 1 }
                return
            }
            tally.change { $0.work += 1 }
        }

        /// A transaction, with idling in it: the session sleeps then like any other, but must not be ended.
        private func transaction(_ connection: Connection, _ mark: Int) async throws {
            do {
                try await connection.query(
                    SQL(
                        raw: "BEGIN NOT ATOMIC INSERT INTO marks VALUES (\(mark)); SET autocommit = 0; "
                            + "INSERT INTO rows_written VALUES (\(mark)); END"
                    )
                )
            } catch let error as DatabaseError where error.code == .connectionLost {
                try await judge(mark, "beginning a transaction: session \(connection.sessionID)")
                throw error
            }
            let session = connection.sessionID
            var step = "idling after its first row"
            do {
                try await Task.sleep(for: .microseconds(Int.random(in: 0...idle)))
                try await connection.query("INSERT INTO rows_written VALUES (0)")
                step = "idling after its second row, or committing"
                try await Task.sleep(for: .microseconds(Int.random(in: 0...(idle / 4))))
                try await connection.query("COMMIT AND NO CHAIN")
            } catch let error as DatabaseError where error.code == .connectionLost {
                let what = "in a transaction, \(step): session \(session)"
                tally.change { $0.wrong.append(what) }
                throw error
            }
            do {
                try await connection.query("SET autocommit = 1")
            } catch let error as DatabaseError where error.code == .connectionLost {
                tally.change { $0.killedIdle += 1 }
                throw error
            }
        }

        /// Whether a statement had begun when its session was ended.
        private func judge(_ mark: Int, _ what: String) async throws {
            let begun = try await SuiteServer.administrator()
                .withConnection { try await $0.number("SELECT COUNT(*) FROM marks WHERE mark = \(mark)") }
            tally.change { counts in
                if begun == 1 { counts.wrong.append(what) } else { counts.killedIdle += 1 }
            }
        }
    }

    @Test func `no session in a transaction is ended, and none at work but in the server's last microseconds`()
        async throws
    {
        try await SuiteServer.administrator()
            .withConnection {
                try await $0.query("CREATE TABLE marks (mark INT PRIMARY KEY) ENGINE = MEMORY")
                try await $0.query("CREATE TABLE rows_written (mark INT) ENGINE = InnoDB")
                try await $0.query("GRANT PROCESS ON *.* TO app@'%'")
            }
        let kills = isFullRun ? 10_000 : 300
        let tally = Tally()
        var known: [UInt64: String] = [:]
        var report = (killed: 0, wokeUp: 0, spared: 0, rounds: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 1...(isFullRun ? 60 : 40) {
                let flipper = Flipper(
                    database: try SuiteServer.database(share: .reserve),
                    number: number,
                    tally: tally,
                    idle: 120_000
                )
                group.addTask { try await flipper.run() }
            }
            var policy = KillPolicy()
            policy.maxIdle = .milliseconds(15)
            defer { tally.change { $0.isOver = true } }
            try await SuiteServer.database(share: .reserve)
                .withConnection { killer in
                    while report.killed + report.wokeUp < kills {
                        let round = try await IdleKill(policy).run(on: killer)
                        report.rounds += 1
                        try #require(round.account.transactions != .noPrivilege)
                        report.killed += round.count(.killed)
                        for outcome in round.outcomes where outcome.result == .killed {
                            let session = outcome.session
                            known[session.id] =
                                "\(session.duration) \(session.queryID ?? 0) \(String(describing: session.inTransaction)) freeing \(round.freeing)"
                        }
                        report.wokeUp += round.count(.wokeUp)
                        report.spared += round.outcomes.count { $0.reason == .inTransaction }
                    }
                }
        }
        let seen = tally.current
        for what in seen.wrong {
            let id = what.split(separator: " ").last.flatMap { UInt64($0) } ?? 0
            print("ended wrongly: \(what), known as: \(known[id] ?? "not killed by this killer")")
        }
        // Whoever was in a transaction, or had worked on, is never ended.
        #expect(seen.wrong.count { $0.hasPrefix("in a transaction") } == 0)
        // What the server leaves open: a statement that arrives in the 2 us between its last look and its KILL is cut as it
        // begins. Measured: 2 in 60,000 in all (one of them known to be this), with sessions that wake up every few
        // hundredths of a second; without the guard 28 in 306.
        #expect(seen.wrong.count <= max(1, kills * 3 / 10_000))
        #expect(report.killed > 0)
        #expect(report.spared > 0)
        #expect(seen.work > 0)
        print(
            "kill rounds: \(report), sessions: \(seen.killedIdle) found at their next statement, \(seen.wrong.count) ended wrongly"
        )
    }
}
