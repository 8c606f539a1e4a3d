import Testing

@testable import Headroom

/// What is remembered of servers, as a file's text and as an answer.
@Suite struct ServerKeysTests {
    private let a = "sha256//\(String(repeating: "A", count: 43))="
    private let b = "sha256//\(String(repeating: "B", count: 43))="
    private let place = "db.example:3306"

    private func keys(_ lines: String...) -> ServerKeys { ServerKeys(lines.map { "\($0)\n" }.joined()) }

    private func finding(
        _ keys: ServerKeys,
        _ kind: ServerKey.Kind,
        _ fingerprint: String,
        _ mode: TLS.Mode = .preferred,
        place: String = "db.example:3306"
    ) -> String {
        switch keys.finding(ServerKey(kind, fingerprint: fingerprint), at: place, user: "app", mode: mode) {
        case .known: "known"
        case .first: "first"
        case .changed: "changed"
        case .unasked: "unasked"
        }
    }

    @Test func `a key is known, first or changed`() {
        let keys = keys("\(place) tls \(a) 2026-01-02")
        #expect(finding(keys, .tls, a) == "known")
        #expect(finding(keys, .tls, b) == "changed")
        #expect(finding(keys, .tls, b, place: "db.example:3307") == "first")
        #expect(finding(ServerKeys(), .tls, a) == "first")
    }

    @Test func `no longer offering encryption is no way around what is remembered, nor is beginning to`() {
        #expect(finding(keys("\(place) tls \(a) 2026-01-02"), .rsa, b) == "changed")
        #expect(finding(keys("\(place) rsa \(a) 2026-01-02"), .tls, b) == "changed")
        // Where the settings leave only one kind, one of the other says nothing.
        #expect(finding(keys("\(place) tls \(a) 2026-01-02"), .rsa, b, .disabled) == "first")
        #expect(finding(keys("\(place) rsa \(a) 2026-01-02"), .tls, b, .required) == "first")
    }

    @Test func `who was let in without the password is not asked for it without a word`() {
        let keys = keys("\(place) no-password app 2026-01-02")
        for mode in TLS.Mode.allCases { #expect(finding(keys, .rsa, a, mode) == "unasked") }
        #expect(finding(self.keys("\(place) no-password other 2026-01-02"), .rsa, a) == "first")
    }

    @Test func `a place may have several keys`() {
        var keys = keys("\(place) tls \(a) 2026-01-02")
        keys.remember(.key(ServerKey(.tls, fingerprint: b)), of: place, on: "2026-01-03")
        #expect(finding(keys, .tls, a) == "known")
        #expect(finding(keys, .tls, b) == "known")
        keys.forget(place)
        #expect(keys.entries.isEmpty)
    }

    @Test(
        arguments: [
            "", " ", "a b", "db:1 tls sha256//AAAA 2026-01-02", "db:1 ed448 x 2026-01-02", "# a remark",
            "db:1 tls \u{301} 2026",
            "db%zz:1 no-password app 2026-01-02", "db:1 no-password %ff 2026-01-02", "\u{600}", "db:1 tls  2026-01-02 ",
        ]
    )
    func `lines of another form are kept, and say nothing`(line: String) {
        var keys = keys(line, "\(place) tls \(a) 2026-01-02")
        #expect(keys.entries.count == 1)
        keys.forget(place)
        #expect(keys.text == (line.isEmpty ? "" : "\(line)\n"))
    }

    @Test(arguments: ["app", "a b", "a\nb", "100%", "ä\u{301}", "\r\n", "\u{0}"])
    func `names of any form come back as they were`(user: String) {
        var keys = ServerKeys()
        keys.remember(.withoutPassword(user: user), of: "h ö\n:1", on: "2026-01-02")
        let read = ServerKeys(keys.text)
        #expect(read.entries == keys.entries)
        #expect(read.entries.first?.fact == .withoutPassword(user: user))
    }

    @Test func `a memory that is full takes no more, and keeps what it has`() {
        var keys = ServerKeys()
        for index in 0..<ServerKeys.most {
            keys.remember(.withoutPassword(user: "\(index)"), of: place, on: "2026-01-02")
        }
        let hasRoom = keys.remember(.withoutPassword(user: "more"), of: place, on: "2026-01-02")
        let isKnown = keys.remember(.withoutPassword(user: "0"), of: place, on: "2026-01-02")
        #expect(!hasRoom && isKnown)
        #expect(keys.entries.count == ServerKeys.most)
    }

    @Test func `a digest and its text are those of everybody`() {
        // FIPS 180-4's example, and RFC 4648's.
        let digest = SHA256.digest(of: Array("abc".utf8))
        #expect(Base64.text(digest) == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")
        let texts = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE="]
        for (text, code) in texts { #expect(Base64.text(Array(text.utf8)) == code) }
    }
}
