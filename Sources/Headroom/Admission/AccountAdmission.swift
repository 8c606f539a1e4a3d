import CLibrary
import Logging

/// Finds the account that a database's settings lead to, and the slots that the processes of this host share for it.
final class AccountAdmission: Sendable {
    private let settings: DatabaseSettings

    /// Opens sessions that have no slot.
    private let sessions: Sessions
    private let book: AccountDirectory
    private let state = Locked<Admission?>(nil)

    /// How long what was read of the limit is believed; then the next connection to be opened reads it again.
    private static let freshness: UInt64 = 60

    /// One member for each account and policy in a process, however many databases it has: a member costs descriptors.
    private static let members = Locked<[Key: Admission]>([:])

    private struct Key: Hashable {
        var folder: String
        var policy: Admission.Policy
    }

    init(_ connector: Connector, recorder: Recorder) {
        settings = connector.settings
        sessions = Sessions(connector: connector, gate: nil, recorder: recorder)
        book = AccountDirectory(folder: StateFolder(settings.stateFolder))
    }

    /// The account's slots, as far as the account is known already.
    var current: Admission? { state.withLock(\.self) }

    /// Returns the account's slots; the first time on this host it logs in to find out which account it is.
    ///
    /// - Throws: ``DatabaseError``, or `CancellationError`.
    func admission(_ limits: Limits) async throws -> Admission {
        if let admission = current { return admission }
        try EventLoop.start()
        if let folder = book.account(of: settings) { return try join(folder) }
        return try await join(firstLogin(limits))
    }

    /// Whether what is known of the limit is old, so that the next session is to be asked.
    func isStale(_ admission: Admission) -> Bool {
        Int64(time(nil)).subtracting(clamped: admission.limitReadAt).magnitude > Self.freshness
    }

    /// Notes what a fresh session says of its account.
    ///
    /// - Parameters:
    ///   - facts: What it says.
    ///   - admission: The account's slots, as far as known until now.
    ///   - hasSlot: Whether the session has a slot.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func note(_ facts: AccountFacts, _ admission: Admission, hasSlot: Bool) throws {
        let folder = try book.folder(of: facts)
        // The settings lead elsewhere now (another server, another row of the account table): from the next one on.
        let admission = folder == admission.folder ? admission : try join(folder)
        admission.changeHead { table in
            table.limit = facts.limit
            table.limitReadAt = Int64(time(nil))
            table.serverStartedAt = facts.serverStartedAt
            table.foreignSessions = max(0, facts.otherSessions.asCount - (table.heldSlots() - (hasSlot ? 1 : 0)))
        }
        // Last, so that a process that finds the account finds its limit too.
        try book.note(folder, for: settings)
    }

    private func join(_ folder: String) throws -> Admission {
        let key = Key(
            folder: folder,
            policy: Admission.Policy(settings)
        )
        let admission = try Self.members.withLock { members in
            if let known = members[key] { return known }
            let admission = try Admission(folder: folder, policy: key.policy, program: settings.programName)
            if let hosts = settings.hosts {
                admission.keepShare(try ShareRenewal(admission, sessions, hosts: hosts))
            }
            members[key] = admission
            return admission
        }
        state.withLock { $0 = admission }
        return admission
    }

    /// Logs in once, one process of this host at a time, to learn which account it is; the session has no slot yet.
    private func firstLogin(_ limits: Limits) async throws -> String {
        var backoff = Backoff(first: .milliseconds(2), most: .milliseconds(50))
        var refusal: DatabaseError?
        while true {
            if let lock = try book.tryLock() {
                defer { withExtendedLifetime(lock) {} }
                if let folder = book.account(of: settings) { return folder }
                do {
                    let facts = try await facts(limits)
                    let folder = try book.folder(of: facts)
                    try note(facts, join(folder), hasSlot: false)
                    return folder
                } catch let error as DatabaseError where error.isConnectionLimit {
                    sessions.recorder.refused(error, afterDeath: false)
                    refusal = error
                } catch let error as DatabaseError where error.code == .connectTimedOut {
                    // The time is up in the middle of one attempt of many: what the others met is the reason.
                    throw refusal ?? error
                }
            } else if let folder = book.account(of: settings) {
                return folder
            }
            let next = ContinuousClock.now + backoff.next()
            if let deadline = limits.deadline, next >= deadline {
                throw refusal
                    ?? DatabaseError(
                        .deadlineExceeded,
                        message:
                            "Another process of this host has been logging in to \(settings.endpoint) for too long.",
                        advice: "Check that the server answers."
                    )
            }
            let wait = EventLoop.shared.reserve()
            if await wait.wait(until: next, cancellable: limits.isCancellable) == .cancelled {
                throw CancellationError()
            }
        }
    }

    private func facts(_ limits: Limits) async throws -> AccountFacts {
        let session = try await sessions.connect(in: nil, limits)
        let facts: Result<AccountFacts, any Error>
        do {
            facts = .success(try await session.accountFacts(limits))
        } catch {
            facts = .failure(error)
        }
        await session.close()
        return try facts.get()
    }
}
