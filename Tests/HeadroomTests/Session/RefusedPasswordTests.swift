import Dispatch
import Synchronization
import TestSupport
import Testing

@testable import Headroom

/// A password that the server has refused is not sent again until it has changed.
@Suite struct RefusedPasswordTests {
    private let folder = TemporaryFolder()
    private let error = DatabaseError(.accessDenied, message: "no", serverCode: 1045)

    private func settings(_ password: String, source: (@Sendable () -> String?)? = nil) -> DatabaseSettings {
        var settings = DatabaseSettings(endpoint: .socket(path: "/s"), username: "app", password: password)
        settings.stateFolder = folder.path
        settings.passwordSource = source.map { PasswordSource($0) }
        return settings
    }

    @Test func `it is read again at the refusal, and sent at once when it has changed`() throws {
        let file = Mutex("old")
        let password = RefusedPassword(settings("old") { file.withLock(\.self) })
        #expect(try password.next(at: 100) == "old")
        file.withLock { $0 = "new" }
        #expect(password.refused("old", error, at: 100))
        #expect(try password.next(at: 100) == "new")
    }

    @Test func `as long as it is the same it is not sent, by any program, for a day`() throws {
        let file = Mutex("old")
        let source: @Sendable () -> String? = { file.withLock(\.self) }
        let password = RefusedPassword(settings("old", source: source))
        #expect(!password.refused("old", error, at: 100))
        for now in [100, 101, 86_499] {
            #expect(throws: RefusedPassword.Withheld.self) { try password.next(at: now) }
            // Another program, which is started anew.
            #expect(throws: RefusedPassword.Withheld.self) {
                try RefusedPassword(settings("old", source: source)).next(at: now)
            }
        }
        #expect(try RefusedPassword(settings("new", source: source)).next(at: 101) == "new")
        #expect(try password.next(at: 86_500) == "old")
        file.withLock { $0 = "new" }
        #expect(try password.next(at: 101) == "new")
    }

    @Test func `once it is accepted it is forgotten`() throws {
        let source: @Sendable () -> String? = { "old" }
        let password = RefusedPassword(settings("old", source: source))
        #expect(!password.refused("old", error, at: 100))
        password.accepted()
        #expect(try password.next(at: 101) == "old")
        #expect(try RefusedPassword(settings("old", source: source)).next(at: 101) == "old")
    }

    @Test func `where it cannot be read again it is sent ever more rarely`() throws {
        let password = RefusedPassword(settings("old"))
        var (now, sent) = (0, 0)
        while now < 86_400 {
            if (try? password.next(at: now)) != nil {
                sent += 1
                #expect(!password.refused("old", error, at: now))
            }
            now += 1
        }
        #expect((140...160).contains(sent))
    }

    @Test func `what is noted for other programs does not tell the password`() throws {
        let password = RefusedPassword(settings("secret") { "secret" })
        #expect(!password.refused("secret", error, at: 100))
        let text = AccountNotes(settings("secret"), topic: "refused-password").text
        #expect(text?.utf8.count == 8)
    }

    @Test func `a file that cannot be read in time ends the attempt, and holds no thread that other tasks need`() async
    {
        let isSilent = Mutex(false)
        let end = DispatchSemaphore(value: 0)
        let password = RefusedPassword(
            settings("old") {
                if isSilent.withLock(\.self) { end.wait() }
                return "old"
            }
        )
        #expect(!password.refused("old", error))
        isSilent.withLock { $0 = true }
        await #expect(throws: RefusedPassword.Withheld.self) {
            try await password.next(Limits(deadline: .now + .milliseconds(50)))
        }
        end.signal()
    }

    @Test func `another password or user set by hand is not replaced by what the settings say`() {
        let found = settings("old") { "old" }
        var (bare, other) = (found, found)
        bare.password = ""
        other.username = "root"
        #expect(!RefusedPassword(bare).refused("", error))
        #expect(!RefusedPassword(other).refused("another", error))
        #expect(found.passwordSource != nil)
    }
}
