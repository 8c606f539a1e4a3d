import CoreMetrics
import MetricsTestKit
import TestSupport
import Testing
import Tracing

@testable import Headroom

/// What a database tells of itself: statistics, metrics under fixed names, spans without anybody's data.
@Suite struct NumbersTests {
    @Test func `metrics have the documented names, and no process or address in them`() throws {
        let metrics = TestMetrics()
        let recorder = Recorder(name: "shop", factory: metrics)
        recorder.waited(.milliseconds(2), inTime: true)
        recorder.waited(.seconds(30), inTime: false)
        recorder.opened(in: .milliseconds(1))
        recorder.began(reused: false)
        recorder.ended(after: .milliseconds(5), closed: .scope)
        recorder.heldTooLong()
        let refusal = DatabaseError(
            .accountLimitReached,
            message: "",
            serverCode: 1226,
            resource: "max_user_connections"
        )
        recorder.refused(refusal, afterDeath: true)
        let statistics = recorder.statistics
        recorder.publish(statistics, budget: 9)

        let pool = [("pool", "shop")]
        #expect(try metrics.expectTimer("headroom_pool_wait_duration_seconds", pool).values.count == 2)
        #expect(try metrics.expectTimer("headroom_pool_use_duration_seconds", pool).values == [5_000_000])
        #expect(try metrics.expectTimer("headroom_connect_duration_seconds", pool).values == [1_000_000])
        #expect(try metrics.expectCounter("headroom_pool_timeouts_total", pool).totalValue == 1)
        #expect(try metrics.expectCounter("headroom_leaks_suspected_total", pool).totalValue == 1)
        let resource = [("code", "1226"), ("resource", "max_user_connections")]
        #expect(try metrics.expectCounter("headroom_connect_refused_total", resource).totalValue == 1)
        #expect(try metrics.expectGauge("headroom_pool_max_connections", pool).lastValue == 9)
        #expect(try metrics.expectGauge("headroom_pool_connections", pool + [("state", "used")]).lastValue == 0)

        #expect(statistics.waitCount == 2)
        #expect(statistics.waitTimeouts == 1)
        #expect(statistics.longestWait == .seconds(30))
        #expect(statistics.refused == [1226: 1])
        #expect(statistics.refusedAfterDeath == 1)
        #expect(statistics.closed == [.scope: 1])
        #expect(statistics.open == 0)
    }

    @Test func `nobody pays for spans when nobody traces`() {
        let database = Database(DatabaseSettings(endpoint: .socket(path: "/nowhere"), username: "nobody"))
        #expect(!database.sessions.isTraced)
        #expect(DatabaseSpan.connecting(database.sessions, label: "") == nil)
    }
}
