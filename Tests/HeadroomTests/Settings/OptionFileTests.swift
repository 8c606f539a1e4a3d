import TestSupport
import Testing

@testable import Headroom

/// MySQL option files mean here what they mean to the servers' own tools.
@Suite struct OptionFileTests {
    private let folder = TemporaryFolder()

    /// What `my_print_defaults`, which is the tools' own reader, makes of a file.
    private func oracle(_ path: String) async throws -> [String] {
        let groups = ["client", "client-server", "client-mariadb", "mysql", "mariadb-client"]
        let run = try await HeadroomProgram.run("/usr/bin/my_print_defaults", ["--defaults-file=\(path)"] + groups)
        try #require(run.status == 0, "\(run.errors)")
        return run.output.split(separator: "\n").map(String.init)
    }

    private func ours(_ path: String) throws -> [String] {
        try OptionFile(path: path).options.map { name, value in "--\(name)" + (value.map { "=\($0)" } ?? "") }
    }

    @Test func `lines are read as the tools read them`() async throws {
        let path = folder.write(
            ##"""
            # a comment
            ; another
            [mysqld]
            user = server
            [client]
            a=a#b
            b="a#b"
            c = 'a#b'  # why
            d=x\sy\tz\\n\q
            e="x\"y#z"
            f="a" "b"
            g= a ; b
            h=it's # x
            i=\#x
            j="unclosed # x
            k
            l = "tail" x
            m = ""
            n =
            o = "\\"
            ssl-ca = a=b
            [client ]
            p=1
             [mysql]
              q = 2
            [headroom-not]
            r = 3
            [mariadb-client]
            s = '"'
            t = a\"#x"
            """##,
            to: "my.cnf"
        )
        let theirs = try await oracle(path)
        #expect(try ours(path) == theirs)
        #expect(theirs.count > 15)
    }

    @Test func `included files and folders are read as the tools read them`() async throws {
        folder.write("[client]\nfrom_b=1\n", to: "b.cnf")
        folder.write("[client]\nfrom_a=1\n[mysqld]\nx=1\n", to: "a.cnf")
        folder.write("[client]\nfrom_text=1\n", to: "c.txt")
        let inner = folder.write("[mysql]\ninner=1\n", to: "inner")
        let path = folder.write(
            "[client]\nbefore=1\n!include \(inner)\n!include /nowhere.cnf\n!includedir \(folder.path)\nafter=1\n",
            to: "main"
        )
        let theirs = try await oracle(path)
        #expect(try ours(path) == theirs)
        #expect(try OptionFile(path: path).warnings.contains { $0.contains("/nowhere.cnf") })
    }

    @Test func `a file that includes itself is an error`() {
        let path = "\(folder.path)/loop.cnf"
        folder.write("[client]\n!include \(path)\n", to: "loop.cnf")
        let error = #expect(throws: DatabaseError.self) { try OptionFile(path: path) }
        #expect(error?.message.contains("10 files deep") == true)
    }

    @Test(arguments: [
        ("password=a#b", "a", true), ("password=\"a#b\"", "a#b", false), ("password='a#b' # x", "a#b", false),
        ("password=ab # x", "ab", false), (##"password="a\"#b""##, "a\"#b", false), ("password=ä€", "ä€", false),
    ])
    func `a password that a # cuts short is a warning`(line: String, password: String, warns: Bool) throws {
        let file = try OptionFile(path: folder.write("[client]\n\(line)\n", to: "my.cnf"))
        #expect(file.entries["DB_PASSWORD"]?.value == password)
        #expect(file.warnings.contains { $0.contains("put the value in quotes") } == warns)
        #expect(!file.warnings.contains { $0.contains("a#b") })
    }

    @Test func `the group headroom takes every setting by its own name`() throws {
        let path = folder.write(
            "[client]\nuser=a\n[headroom]\nuser=b\nbudget = 4\nwait-timeout=10\ntls_mode=required\nhost=h\nadmin-port=9\n",
            to: "my.cnf"
        )
        let loaded = try SettingsSources(environment: [:], defaultsFile: path).load()
        #expect(loaded.database.username == "b")
        #expect(loaded.database.budget == 4)
        #expect(loaded.database.waitTimeout == .seconds(10))
        #expect(loaded.database.tls.mode == .required)
        #expect(loaded.administrator?.endpoint == .tcp(host: "h", port: 9))
    }

    @Test func `an unknown name in the group headroom is refused, with the one that was meant`() throws {
        let path = folder.write("[headroom]\nbugdet = 4\n", to: "my.cnf")
        let error = #expect(throws: DatabaseError.self) { try OptionFile(path: path) }
        #expect(error?.message.contains("line 2 of \(path)") == true)
        #expect(error?.advice == "Did you mean budget?")
    }

    @Test(arguments: [
        ("skip-ssl", TLS.Mode.disabled), ("ssl-verify-server-cert", .verifyIdentity), ("ssl_mode=VERIFY_CA", .verifyCA),
        ("loose-ssl-mode=required", .required),
    ])
    func `the tools' words for encryption are understood`(line: String, mode: TLS.Mode) throws {
        let path = folder.write("[client]\nhost=h\nuser=u\n\(line)\n", to: "my.cnf")
        #expect(try SettingsSources(environment: [:], defaultsFile: path).load().database.tls.mode == mode)
    }

    @Test(arguments: [
        "ssl-capath=/x", "ssl-crl=/x", "ssl-cipher=X", "tls-version=TLSv1.3", "tls_passphrase=x", "ssl-cert=/x",
        "loose-ssl-key=/x", "ssl-ca=/x",
    ])
    func `what belongs to an encrypted connection asks for one`(line: String) throws {
        func tls(_ more: String) throws -> TLS {
            let path = folder.write("[client]\nuser=u\n\(more)\n", to: "my.cnf")
            return try SettingsSources(environment: [:], defaultsFile: path).load().database.tls
        }
        #expect(try tls("host=h").mode == .preferred)
        let isVerified = line.hasPrefix("ssl-ca")
        #expect(try tls("host=h\n\(line)").mode == (isVerified ? .verifyCA : .required))
        #expect(try tls("host=h\n\(line)").authorities == (isVerified ? "/x" : nil))
        // On a socket where the server has it, as for an account that must be encrypted.
        #expect(try tls("socket=/s\n\(line)").mode == .preferred)
        #expect(try tls("host=h\n\(line)\nskip-ssl").mode == .disabled)
    }

    @Test(arguments: ["ssl-fp=AB:CD", "tls-fp=ABCD", "ssl_fplist=/x", "tls-peer-fp-list=/x"])
    func `a fingerprint of the server that is not looked at does not let a password go`(line: String) throws {
        let path = folder.write("[client]\nuser=u\nhost=h\npassword=p\n\(line)\n", to: "my.cnf")
        let error = #expect(throws: DatabaseError.self) {
            try SettingsSources(environment: [:], defaultsFile: path).load()
        }
        #expect(error?.message.contains("-fp") == true && error?.advice.contains("HEADROOM_TLS_PIN") == true)
        let verified = try SettingsSources(environment: ["HEADROOM_TLS_MODE": "verify_identity"], defaultsFile: path)
            .load()
        #expect(verified.warnings.contains { $0.contains("is not looked at by Headroom") })
    }

    @Test(arguments: [
        ("socket=/s", Endpoint.socket(path: "/s")), ("socket=/s\nhost=localhost", .socket(path: "/s")),
        ("socket=/s\nhost=127.0.0.1", .tcp(host: "127.0.0.1", port: 3306)),
        ("host=db\nport=7\nsocket=/s", .tcp(host: "db", port: 7)),
        ("socket=/s\nprotocol=tcp", .tcp(host: "localhost", port: 3306)),
        ("protocol=TCP\nsocket=/s\nport=7", .tcp(host: "localhost", port: 7)),
        ("protocol=tc\nsocket=/s", .tcp(host: "localhost", port: 3306)),
        ("host=localhost\nprotocol=tcp\nsocket=/s", .tcp(host: "localhost", port: 3306)),
        ("host=127.0.0.1\n[headroom]\nsocket=/own", .socket(path: "/own")),
        ("protocol=tcp\nprotocol=socket\nsocket=/s", .socket(path: "/s")),
    ])
    func `a socket counts for localhost alone, as to the client library`(lines: String, endpoint: Endpoint) throws {
        let path = folder.write("[client]\nuser=u\n\(lines)\n", to: "my.cnf")
        #expect(try SettingsSources(environment: [:], defaultsFile: path).load().database.endpoint == endpoint)
    }

    @Test func `an included file with a password that others may read is a warning`() throws {
        let inner = folder.write("[client]\npassword=x\n", to: "inner", mode: 0o644)
        let path = folder.write("[client]\nuser=u\nhost=h\n!include \(inner)\n", to: "my.cnf")
        let warnings = try SettingsSources(environment: [:], defaultsFile: path).load().warnings
        #expect(warnings.count == 1)
        #expect(warnings.first?.contains("chmod 640 \(inner)") == true)
    }

    @Test func `an extra file is read beside the user's own, which wins`() throws {
        folder.write("[client]\nuser=own\n", to: ".my.cnf", mode: 0o600)
        let extra = folder.write("[client]\nuser=extra\npassword=pw\nhost=h\n", to: "extra.cnf", mode: 0o600)
        let home = ["HOME": folder.path]
        let both = try SettingsSources(environment: home, defaultsExtraFile: extra).load().database
        #expect(both.username == "own")
        #expect(both.password == "pw")
        let only = try SettingsSources(environment: home, defaultsFile: extra).load().database
        #expect(only.username == "extra")
    }
}
