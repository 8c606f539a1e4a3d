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

    @Test("Of several nodes one serves all, the others are spares, and each is asked whether it is in step")
    func nodes() throws {
        var several = configuration(server: .tcp(host: "10.0.0.1", port: 3306))
        several.otherServers = [.tcp(host: "10.0.0.2", port: 3306), .tcp(host: "::3", port: 3307)]
        several.checkUser = "ok"
        let lines = try several.text().split(separator: "\n").map { $0.drop { $0 == " " } }
        #expect(lines.contains("server database 10.0.0.1:3306 maxconn 4"))
        #expect(lines.contains("server database2 10.0.0.2:3306 maxconn 4 backup"))
        #expect(lines.contains("server database3 [::3]:3307 maxconn 4 backup"))
        #expect(lines.contains("default-server check inter 2s fall 2 rise 2 on-marked-down shutdown-sessions"))
        // A login's packet: its length, number 1, what the client can, 23 zeros, the name, no password.
        #expect(
            lines.contains(
                "tcp-check send-binary 2400000100820000000010002100000000000000000000000000000000000000000000006f6b0000"
            )
        )
        several.checkUser = "a b"
        #expect(throws: DatabaseError(.settingsInvalid, message: "")) { try several.text() }
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
        // What several nodes hold is added up: after a change the first may still have some.
        let nodes = """
            # pxname,svname,qcur,qmax,scur,smax,slim,stot,
            headroom_front_door,database,0,0,1,4,4,380,
            headroom_front_door,database2,0,0,2,3,4,20,
            headroom_front_door,BACKEND,5,8,9,12,100,400,

            """
        #expect(
            FrontDoorReport(statistics: nodes)
                == FrontDoorReport(places: 4, used: 3, mostUsed: 4, waiting: 5, mostWaiting: 8, total: 400)
        )
        #expect(FrontDoorReport(statistics: "") == nil)
        #expect(FrontDoorReport(statistics: "# pxname,svname\nother,BACKEND\n") == nil)
    }
}
