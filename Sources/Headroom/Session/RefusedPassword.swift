import CLibrary

/// Where a password was read, and is read again.
package struct PasswordSource: Sendable, Hashable {
    /// Reads it; `nil` when it cannot be read, or is that of another account by now.
    let read: @Sendable () -> String?

    package init(_ read: @escaping @Sendable () -> String?) {
        self.read = read
    }

    /// Settings are the same wherever they came from.
    package static func == (left: PasswordSource, right: PasswordSource) -> Bool { true }

    package func hash(into hasher: inout Hasher) {}
}

/// Keeps a password that the server has refused from being sent again: servers count such logins, and lock the account.
///
/// With a ``PasswordSource`` it is read again each time, also at the refusal itself, and one that has not changed is not sent for
/// a day, by no program of this host; at a terminal the first attempt is a person's, and made. Without one, when nobody can
/// change it in this process, the time doubles from a second to ten minutes.
final class RefusedPassword: Sendable {
    private struct Refusal {
        var password: String
        var at: Int
        var error: DatabaseError
        var pause: Int
    }

    private struct State {
        var password: String
        var refusal: Refusal?
        var hasLooked = false
    }

    private static let day = 86_400

    private let settings: DatabaseSettings
    private let state: Locked<State>

    init(_ settings: DatabaseSettings) {
        self.settings = settings
        state = Locked(State(password: settings.password))
    }

    /// The password as it is now.
    var current: String { state.withLock(\.password) }

    /// A password that is not sent, so that there is no login; made here alone, as ``SessionEnd`` takes it for a proof.
    struct Withheld: Error {
        let error: any Error

        fileprivate init(_ error: any Error) { self.error = error }
    }

    /// The password to log in with.
    ///
    /// - Parameter now: The seconds since 1970.
    /// - Returns: The password.
    /// - Throws: ``Withheld`` with the refusal, when it is not to be sent.
    func next(at now: Int = time(nil)) throws(Withheld) -> String {
        lookUpOnce(at: now)
        guard let refusal = state.withLock(\.refusal), now < refusal.at &+ refusal.pause else { return current }
        if let read = settings.passwordSource?.read() { state.withLock { $0.password = read } }
        guard current == refusal.password else { return current }
        var error = refusal.error
        error.message += " It is not sent again until it changes."
        if settings.passwordSource != nil {
            error.advice +=
                " The settings are read again by themselves; where the server was changed instead, run 'headroom status' at a terminal."
        }
        throw Withheld(error)
    }

    /// Takes note that the server has refused a password.
    ///
    /// - Returns: Whether there is another to send at once.
    func refused(_ password: String, _ error: DatabaseError, at now: Int = time(nil)) -> Bool {
        if let read = settings.passwordSource?.read(), read != password {
            state.withLock { $0.password = read }
            return true
        }
        let isLasting = settings.passwordSource != nil
        state.withLock { state in
            let before = state.refusal.flatMap { $0.password == password ? $0.pause : nil }
            let pause = isLasting ? Self.day : min((before ?? 0) * 2 + 1, 600)
            state.refusal = Refusal(password: password, at: now, error: error, pause: pause)
        }
        // Where it cannot be noted each program finds out by itself.
        if isLasting { try? notes.keep("\(now) \(mark(of: password, at: now))") }
        return false
    }

    /// Takes note that the server has let us in.
    func accepted() {
        guard state.withLock({ $0.refusal.take() }) != nil, settings.passwordSource != nil else { return }
        try? notes.keep("")
    }

    /// Looks, once, what another program of this host has noted.
    private func lookUpOnce(at now: Int) {
        let isFirst = state.withLock { state in
            defer { state.hasLooked = true }
            return !state.hasLooked
        }
        guard isFirst, settings.passwordSource != nil else { return }
        let words = notes.text?.pieces(separator: " ") ?? []
        guard words.count == 2, let at = Int(words[0]), at <= now, String(words[1]) == mark(of: current, at: at) else {
            return
        }
        let error = ConnectFailure.error(1045, "", settings: settings)
        // What a person does at a terminal is meant: the refusal is known, and forgotten should the server let us in now.
        let isPerson = isatty(0) == 1 && isatty(2) == 1
        state.withLock { state in
            state.refusal = Refusal(password: state.password, at: at, error: error, pause: isPerson ? 0 : Self.day)
        }
    }

    // MARK: Without blocking the task's thread: the settings may lie on a network that is silent

    func next(_ limits: Limits) async throws(Withheld) -> String {
        lookUpOnce(at: time(nil))
        guard isReadAgain else { return try next() }
        let answer: Result<String, Withheld>
        do throws(Interruption) {
            answer = try await onFileThread(limits) { password in Result { () throws(Withheld) in try password.next() }
            }
        } catch {
            throw Withheld(error.duringConnect(settings))
        }
        return try answer.get()
    }

    func refused(_ password: String, _ error: DatabaseError, _ limits: Limits) async -> Bool {
        guard settings.passwordSource != nil else { return refused(password, error) }
        return (try? await onFileThread(limits) { $0.refused(password, error) }) ?? false
    }

    func accepted(_ limits: Limits) async {
        guard isReadAgain else { return accepted() }
        try? await onFileThread(limits) { $0.accepted() }
    }

    /// Whether the settings are read again: they are while the server refuses.
    private var isReadAgain: Bool { settings.passwordSource != nil && state.withLock { $0.refusal != nil } }

    private func onFileThread<Answer: Sendable>(
        _ limits: Limits,
        _ work: @escaping @Sendable (RefusedPassword) -> Answer
    ) async throws(Interruption) -> Answer {
        try await onOwnThread(named: "headroom-password", limits: limits) { [self] in
            work(self)
        } discard: { _ in
        }
    }

    private var notes: AccountNotes { AccountNotes(settings, topic: "refused-password") }

    /// Tells one password from another, and too little to guess one: 16 bits.
    private func mark(of password: String, at time: Int) -> String {
        String(AccountDirectory.digest("\(time) \(password)").suffix(4))
    }
}
