import HeadroomSandbox
import TestSupport
import Testing

/// The machine's rules for TLS hold for the command's connections.
@Suite(.sandbox(tcp: true, tls: true)) struct OpenSSLConfigurationTests {
    /// Runs `status` with a configuration of OpenSSL, for 20 s at most.
    private func status(_ mode: String, configuration: String) async throws -> HeadroomProgram.Output {
        var environment = try SuiteServer.sandbox.environment
        if mode != "socket" {
            environment["DB_SOCKET"] = nil
            environment["HEADROOM_TLS_CA"] = nil
            environment["HEADROOM_TLS_MODE"] = mode
        }
        environment["OPENSSL_CONF"] = configuration
        return try await HeadroomProgram.run(
            "/usr/bin/timeout",
            ["-s", "KILL", "20", HeadroomProgram.path, "status"],
            environment: environment
        )
    }

    @Test(arguments: ["required", "preferred"])
    func `a connection that is encrypted obeys the machine's rules`(mode: String) async throws {
        let folder = TemporaryFolder()
        let rules = """
            openssl_conf = init
            [init]
            ssl_conf = ssl
            [ssl]
            system_default = rules
            [rules]
            MinProtocol = TLSv1.3
            """
        let open = try await status(mode, configuration: folder.write(rules, to: "open.cnf"))
        #expect(open.status == 0)
        // No version is left between the two.
        let closed = folder.write("\(rules)\nMaxProtocol = TLSv1.2\n", to: "closed.cnf")
        let refused = try await status(mode, configuration: closed)
        #expect(refused.status != 0)
        #expect(refused.errors.contains("no protocols available"))
        // So the rules were the reason.
        #expect(try await status("disabled", configuration: closed).status == 0)
    }
}
