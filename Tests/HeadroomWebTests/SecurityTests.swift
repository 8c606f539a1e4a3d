import Headroom
import Testing

@testable import HeadroomWeb

struct SessionCookieTests {
    private let cookie = SessionCookie()

    @Test func `A cookie is worth something until it is over, and not after`() {
        let session = cookie.begin("anna.müller", at: 1000)
        let value = cookie.value(of: session)
        #expect(cookie.session(value, at: 1000) == session)
        #expect(cookie.session(value, at: 1000 + SessionCookie.life - 1) == session)
        #expect(cookie.session(value, at: 1000 + SessionCookie.life) == nil)
    }

    @Test func `A session lasts 12 hours, as docs/dashboard.md says`() {
        let session = cookie.begin("anna", at: 1000)
        #expect(session.expires == 1000 + 12 * 3600)
        #expect(cookie.session(cookie.value(of: session), at: 1000 + 12 * 3600) == nil)
    }

    @Test func `A browser is known for the user who signed in with it, and for no other`() {
        let value = cookie.browserValue(for: "anna")
        #expect(cookie.browser(value, of: "anna") != nil)
        #expect(cookie.browser(value, of: "bert") == nil)
        #expect(cookie.browser(value + "0", of: "anna") == nil)
        #expect(SessionCookie().browser(value, of: "anna") == nil)
        for nonsense in ["", ".", "a.b.c"] { #expect(cookie.browser(nonsense, of: "anna") == nil) }
    }

    @Test func `No character of a cookie can be changed`() {
        let value = cookie.value(of: cookie.begin("anna", at: 1000))
        for index in value.indices {
            var changed = value
            changed.replaceSubrange(index...index, with: value[index] == "a" ? "b" : "a")
            #expect(cookie.session(changed, at: 1000) == nil)
        }
        for nonsense in ["", ".", "...", "a.b.c.d", "\(value).x"] { #expect(cookie.session(nonsense, at: 1000) == nil) }
    }

    @Test func `Another run's cookie is worth nothing here`() {
        #expect(cookie.session(SessionCookie().value(of: SessionCookie().begin("anna", at: 1000)), at: 1000) == nil)
    }

    @Test func `A form's token is one session's, and no cookie's signature`() {
        let session = cookie.begin("anna", at: 1000)
        #expect(cookie.isFormToken(cookie.formToken(session), of: session))
        #expect(!cookie.isFormToken(cookie.formToken(cookie.begin("anna", at: 1000)), of: session))
        #expect(!cookie.isFormToken("", of: session))
    }
}

struct SignInLimitTests {
    @Test func `Five tries at once, then one in twelve seconds`() {
        var limit = SignInLimit()
        for _ in 0..<5 { #expect(limit.take("a", at: 0) == nil) }
        #expect(limit.take("a", at: 0) == 12)
        #expect(limit.take("a", at: 11) == 1)
        #expect(limit.take("a", at: 12) == nil)
        #expect(limit.take("a", at: 12) == 12)
    }

    @Test func `Another address has tries of its own, but all together have 30`() {
        var limit = SignInLimit()
        for address in 0..<6 { for _ in 0..<5 { #expect(limit.take("\(address)", at: 0) == nil) } }
        #expect(limit.take("another", at: 0) == 1)
    }

    @Test func `Others' tries are not held against a browser that is known, and it has five of its own`() {
        var limit = SignInLimit()
        for address in 0..<30 { _ = limit.take("\(address)", at: 0) }
        #expect(limit.take("another", at: 0) != nil)
        for _ in 0..<5 { #expect(limit.take("browser", isOwn: true, at: 0) == nil) }
        #expect(limit.take("browser", isOwn: true, at: 0) == 12)
    }

    @Test func `Tries that are not looked at are counted, and told of once a minute`() {
        var limit = SignInLimit()
        #expect(limit.countPassedOver(at: 0) == 1)
        for _ in 0..<500 { #expect(limit.countPassedOver(at: 59) == nil) }
        #expect(limit.countPassedOver(at: 60) == 501)
        #expect(limit.refused == 502)
    }

    @Test func `Who has signed in begins anew`() {
        var limit = SignInLimit()
        for _ in 0..<5 { _ = limit.take("a", at: 0) }
        limit.forgive("a")
        #expect(limit.take("a", at: 0) == nil)
    }

    @Test func `Many addresses take no more memory than 2,000`() {
        var limit = SignInLimit()
        for address in 0..<3000 { _ = limit.take("\(address)", at: Double(address)) }
        // The first was forgotten, and so has all its tries again.
        for _ in 0..<5 { #expect(limit.take("0", at: 5000) == nil) }
    }
}

struct CredentialsTests {
    @Test func `A password is kept as a salted hash, and only it matches`() async throws {
        let password = try await Password.hashed("correct horse")
        let again = try await Password.hashed("correct horse")
        #expect(password.text != again.text)
        let read = try #require(Password(password.text))
        #expect(await read.matches("correct horse"))
        #expect(await !read.matches("correct horsf"))
        #expect(await !read.matches(""))
    }

    @Test func `A hash that would take all memory to check is none`() async throws {
        let text = try await Password.hashed("correct horse").text
        #expect(Password(text.replacing("ln=15", with: "ln=30")) == nil)
        #expect(Password("plain text") == nil)
    }

    @Test func `Users of the file and the token may sign in, nobody else`() async throws {
        let line = try await Credentials.line(name: "anna", password: "correct horse")
        let credentials = try Credentials(users: "# users\n\(line)", token: "0123456789abcdef")
        #expect(await credentials.user(name: "anna", password: "correct horse") == "anna")
        #expect(await credentials.user(name: "anna", password: "wrong") == nil)
        #expect(await credentials.user(name: "bert", password: "correct horse") == nil)
        #expect(await credentials.user(name: "", password: "0123456789abcdef") == "token")
        #expect(!credentials.isToken("0123456789abcde"))
    }

    @Test func `A short token, a short password and a name with a colon are refused`() async {
        #expect(throws: DatabaseError.self) { try Credentials(token: "short") }
        await #expect(throws: DatabaseError.self) { try await Credentials.line(name: "a:b", password: "long enough") }
        await #expect(throws: DatabaseError.self) { try await Credentials.line(name: "anna", password: "short") }
        #expect(throws: DatabaseError.self) { try Credentials(users: "anna:plain\n") }
    }
}

struct WebOptionsTests {
    private func valid(_ place: WebOptions.Place, token: Bool = true, isBehindProxy: Bool = false) -> Bool {
        var options = WebOptions()
        options.place = place
        options.isBehindProxy = isBehindProxy
        guard let credentials = try? Credentials(token: token ? "0123456789abcdef" : nil) else { return false }
        return (try? options.validate(credentials)) != nil
    }

    @Test func `Elsewhere than on loopback it takes TLS, or a word that a proxy does it`() {
        #expect(valid(.tcp(host: "127.0.0.1", port: 80)))
        #expect(valid(.tcp(host: "::1", port: 80)))
        #expect(valid(.socket(path: "/run/x.sock")))
        for host in ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.org", "127.example.org"] {
            #expect(!valid(.tcp(host: host, port: 80)), "\(host)")
            #expect(valid(.tcp(host: host, port: 80), isBehindProxy: true), "\(host)")
        }
    }

    @Test func `Nobody could sign in: it is not served`() {
        #expect(!valid(.tcp(host: "127.0.0.1", port: 80), token: false))
    }
}
