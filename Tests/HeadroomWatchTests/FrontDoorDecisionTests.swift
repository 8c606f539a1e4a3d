import Headroom
import Testing

@testable import HeadroomWatch

/// What HAProxy is told, and what is read of it.
@Suite("The front door's configuration and statistics")
struct FrontDoorDecisionTests {
    private func configuration(server: Endpoint = .socket(path: "/run/mysqld/mysqld.sock")) -> HAProxyConfiguration {
        HAProxyConfiguration(
            server: server,
            door: .tcp(host: "127.0.0.1", port: 3307),
            places: 4,
            wait: .seconds(5),
            idle: .milliseconds(20_500),
            statistics: "/run/headroom/front-door.sock"
        )
    }

    @Test("It holds as many connections as it has places, and waits and ends them as it was told")
    func text() throws {
        let lines = try configuration().text().split(separator: "\n").map { $0.drop { $0 == " " } }
        #expect(lines.contains("server database unix@/run/mysqld/mysqld.sock maxconn 4"))
        #expect(lines.contains("bind 127.0.0.1:3307"))
        #expect(lines.contains("timeout queue 5000ms"))
        #expect(lines.contains("timeout client 20500ms"))
        #expect(lines.contains("timeout server 20500ms"))
        #expect(lines.contains("stats socket /run/headroom/front-door.sock mode 666 level user"))
        // A check would be a broken login at each interval.
        #expect(!lines.contains { $0.hasPrefix("server") && $0.contains(" check") })
        let remote = try configuration(server: .tcp(host: "::1", port: 3306)).text()
        #expect(remote.contains("server database [::1]:3306 maxconn 4"))
    }

    @Test(
        "What its language cannot hold is refused",
        arguments: ["/run/a b.sock", "/run/a\nglobal", "/run/\"", "/run/#1", "/run/é"]
    )
    func injection(path: String) {
        #expect(throws: DatabaseError(.settingsInvalid, message: "")) {
            try configuration(server: .socket(path: path)).text()
        }
    }

    @Test("Its statistics are found by the columns' names, whatever their order")
    func statistics() throws {
        let text = """
            # pxname,svname,qcur,qmax,scur,smax,slim,stot,
            headroom_front_door,FRONTEND,,,9,12,1000,400,
            headroom_front_door,database,0,0,4,4,4,380,
            headroom_front_door,BACKEND,5,8,9,12,100,400,

            """
        let report = try #require(FrontDoorReport(statistics: text))
        #expect(report == FrontDoorReport(places: 4, used: 4, mostUsed: 4, waiting: 5, mostWaiting: 8, total: 380))
        #expect(FrontDoorReport(statistics: "") == nil)
        #expect(FrontDoorReport(statistics: "# pxname,svname\nother,BACKEND\n") == nil)
    }
}
