import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// What the command line says of several hosts: each is a state folder of its own.
@Suite(.sandbox()) struct HostsTests {
    private func environment(_ host: String) throws -> [String: String] {
        let base = try SuiteServer.sandbox.environment
        let folder = try #require(base["HEADROOM_STATE_DIR"])
        return base.merging([
            "DB_USERNAME": "ten4", "DB_PASSWORD": "sandbox", "HEADROOM_HOSTS": "3",
            "HEADROOM_STATE_DIR": "\(folder)/\(host)", "PATH": "/usr/bin:/bin",
        ]) { $1 }
    }

    /// Writes down a host that was there, has fallen silent and had a wrong clock; the others take it out when they write.
    private func addSilent() async throws {
        try await SuiteServer.administrator()
            .withConnection { connection in
                try await connection.query(
                    """
                    UPDATE app.headroom_shares SET version = version + 1,
                      hosts = CONCAT_WS('\n', SUBSTRING_INDEX(hosts, '\nfeed', 1), \("feed\t2\t2\t5\t1\t1\t9\t3\t7200000\tfallen"))
                    WHERE account = 'ten4@%'
                    """
                )
            }
    }

    @Test func `slots and status tell from any host who has how much, who is silent, and whose clock is wrong`()
        async throws
    {
        let hosts = try ["one", "two"].map(environment)
        let processes = try hosts.map {
            try HeadroomProcess(["run", "--slots", "1", "--", "sleep", "60"], environment: $0)
        }
        defer { for process in processes { process.signal(SIGTERM) } }
        var (slots, status) = ("", "")
        let areThere = try await eventually {
            slots = try await HeadroomProgram.run(["slots", "--hosts"], environment: hosts[0]).output
            return slots.hasPrefix("2 hosts with 2 connections between them\n")
        }
        #expect(areThere, "\(slots)")
        let own = try await HeadroomProgram.run(["slots"], environment: hosts[1]).output
        #expect(own.hasPrefix("1 of ") && own.contains("one of 3 hosts"), "\(own)")
        let isMarked = try await eventually {
            try await addSilent()
            slots = try await HeadroomProgram.run(["slots", "--hosts"], environment: hosts[0]).output
            status = try await HeadroomProgram.run(["status"], environment: hosts[1]).output
            return slots.contains("fallen") && status.contains("fallen")
        }
        #expect(isMarked)
        #expect(slots.hasPrefix("3 hosts with 4 connections between them\n"), "\(slots)")
        #expect(slots.contains("warning: fallen has not written for"))
        #expect(slots.contains("warning: the clock of fallen is off by 7200.0 s"))
        #expect(status.contains("its share goes to others, its clock is off by 7200.0 s"), "\(status)")
    }

    @Test func `jobs health names each host's jobs, and those that others may take over`() async throws {
        let queue = try await DrillQueue("health_hosts", in: SuiteServer.sandbox)
        for (batch, host, left) in [("a", "near", 25), ("b", "near", -5), ("c", "far", 20)] {
            let job = try await queue.insert("/nowhere", batch: batch)
            try await queue.query("UPDATE import_jobs SET status = 'processing', started_at = NOW() WHERE id = \(job)")
            try await queue.query(
                """
                INSERT INTO headroom_leases (job_id, token, host, process_id, process_start, hostname, expires_at)
                VALUES (\(job), REPEAT('0', 32), \(host), 1, 1, \(host), UTC_TIMESTAMP(6) + INTERVAL \(left) SECOND)
                """
            )
        }
        let text = try await HeadroomProgram.run(["jobs", "health"], environment: queue.environment)
        let lines = text.output.split(separator: "\n")
        try #require(lines.count == 3, "\(text.output)\(text.errors)")
        #expect(lines[1].hasPrefix("  far: job 3, last commit "), "\(lines)")
        #expect(lines[2].hasPrefix("  near: jobs 1, 2, last commit "), "\(lines)")
        #expect(lines[2].hasSuffix(" s ago, to be taken over: 2"), "\(lines)")
        let json = try await HeadroomProgram.run(["jobs", "health", "--json"], environment: queue.environment).output
            .filter { !$0.isWhitespace }
        #expect(json.contains("\"expired_job_ids\":[2]") && json.contains("\"job_ids\":[1,2]"), "\(json)")
    }
}
