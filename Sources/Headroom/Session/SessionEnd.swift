import CLibrary
import Synchronization

/// Proof that the server does not count a session any more, or never did: what a session's slot is released with.
///
/// A session counts against its account until the server has let it go, which is a moment after the client has closed. So nothing
/// but the four facts below proves its end, and nothing outside of this file can make a proof. It cannot be copied.
struct SessionEnd: ~Copyable, Sendable {
    /// What proves it.
    enum Cause: Sendable {
        /// The server hung up after our goodbye.
        case hungUp
        /// The server knows no such session any more (error 1094 in reply to a KILL).
        ///
        /// Its hanging up proves nothing after a KILL: both servers shut the socket at once, while the session counts until its
        /// thread has come to a point where it looks for a KILL (measured with statements that look every 50 ms).
        case killed
        /// No socket was ever opened, or the server had not greeted yet, so that nobody had logged in.
        case neverLoggedIn
        /// The server refused the login before it counted it.
        case refused
        /// None of these: the kernel gave up on a host that is gone. Counted in the statistics.
        case unconfirmed
    }

    /// What proves it.
    let cause: Cause

    fileprivate init(_ cause: Cause) {
        self.cause = cause
    }

    /// Proves it by the error that a KILL of the session has ended in; `nil` when that says something else.
    init?(afterKill error: any Error) {
        guard let error = error as? DatabaseError, error.serverCode == 1094 else { return nil }
        cause = .killed
    }

    /// Proves it for a client that has sent no login; `nil` for any other.
    init?(neverLoggedIn client: Client) {
        guard !client.isGreeted else { return nil }
        cause = .neverLoggedIn
    }

    /// Proves it for a relayed session through which no byte has gone to the server; `nil` for any other.
    init?(unspoken session: RelayedSession) {
        guard !session.hasSpoken else { return nil }
        cause = .neverLoggedIn
    }

    /// Proves it for a password that was not sent.
    init(_ withheld: RefusedPassword.Withheld) {
        cause = .neverLoggedIn
    }

    /// Proves it by the error that a login was refused with; `nil` when the server counts an account before that error.
    ///
    /// Before the greeting come 1040, 1129 and 1130; the password is looked at (1045, 1698) and the limits are (1203, 1226)
    /// before the account's count goes up (MariaDB 10.11, sql/sql_connect.cc; MySQL 9.7 likewise). A refusal for the database's
    /// sake (1044, 1049) comes after.
    init?(refusedWith number: Int) {
        guard [1040, 1045, 1129, 1130, 1203, 1226, 1698].contains(number) else { return nil }
        cause = .refused
    }
}

/// A second descriptor of a session's socket, which sees when the server lets the session go.
///
/// It is made right after the connection opens: after an error the client library has closed its own descriptor already,
/// and nothing would be left to confirm by.
final class SessionSocket: Sendable {
    let descriptor: Int32
    private let isUnix: Bool
    private let isBorrowed: Bool

    /// Whether reading was refused; reading then says "end" at once, and only the hang-up event tells the server's end.
    private let isReadingRefused = Atomic(false)

    /// Duplicates the client's descriptor, or returns `nil` when it has none or the process may open no more.
    init?(duplicating original: Int32, isUnix: Bool) {
        let copy = fcntl(original, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        descriptor = copy
        self.isUnix = isUnix
        isBorrowed = false
        // A child of this process must not keep the session open.
        _ = fcntl(original, F_SETFD, FD_CLOEXEC)
        if !isUnix { Self.detectDeadPeers(copy) }
    }

    /// Takes over a descriptor that nobody else has.
    init(owning descriptor: Int32, isUnix: Bool) {
        self.descriptor = descriptor
        self.isUnix = isUnix
        isBorrowed = false
        if !isUnix { Self.detectDeadPeers(descriptor) }
    }

    /// Watches the client's own descriptor, where the process may open no more; the client must not be freed before.
    init?(borrowing original: Int32) {
        guard original >= 0 else { return nil }
        descriptor = original
        isUnix = false
        isBorrowed = true
        stopBlocking()
    }

    deinit {
        if !isBorrowed { CLibrary.close(descriptor) }
    }

    /// Makes the socket non-blocking; the client's own descriptor leads to the same socket, and so becomes it too.
    func stopBlocking() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// Tells the server that nothing more will be sent, while its own hanging up can still be seen.
    func halfClose() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the server's next write fail, which ends a session that is sending a large result.
    ///
    /// Works on a unix socket only: over TCP the kernel goes on acknowledging what nobody reads. And on Linux only: elsewhere
    /// `poll` tells of no hang-up by itself, and a refused read says "end" before the server has hung up.
    /// - Returns: Whether reading is refused now.
    func refuseReading() -> Bool {
        #if os(Linux) && !HEADROOM_TEST_PORTABLE
        guard isUnix, shutdown(descriptor, Int32(SHUT_RD)) == 0 else { return false }
        isReadingRefused.store(true, ordering: .relaxed)
        // What is queued is taken off the socket: that wakes a server that waits for room.
        while case .more = Self.discard(descriptor) {}
        return true
        #else
        return false
        #endif
    }

    /// Waits until the server has hung up, whatever happens to the calling task; whatever it still sends is dropped.
    ///
    /// The one place where Headroom waits for that. Not to be asked of a session that was killed: see ``SessionEnd/Cause/killed``.
    ///
    /// - Returns: The proof; `nil` when the server has not hung up before the deadline.
    func end(by deadline: ContinuousClock.Instant?) async -> SessionEnd? {
        let readingRefused = isReadingRefused.load(ordering: .relaxed)
        var inline = AdaptivePoll()
        while true {
            let outcome = await waitUntilReady(
                descriptor,
                events: readingRefused ? 0 : Int32(POLLIN),
                until: deadline,
                cancellable: false,
                inline: &inline
            )
            guard outcome == .ready else { return nil }
            if readingRefused { return SessionEnd(.hungUp) }
            while case let found = Self.discard(descriptor), found != .nothing {
                if found == .ended { return SessionEnd(.hungUp) }
                if found == .lost { return SessionEnd(.unconfirmed) }
                // A server in the middle of a large result would keep this busy for ever.
                if let deadline, deadline < .now { return nil }
            }
        }
    }

    /// The proof, when the server has hung up already, as far as can be seen without reading what it has sent.
    var endSeen: SessionEnd? {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) == 0 ? SessionEnd(.hungUp) : nil
    }

    /// Whether there is nothing to read: neither the server's end nor a word said unasked.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) < 0 && errno == EAGAIN
    }

    private enum Discarded {
        /// The server has closed its side, or the connection.
        case ended
        /// The kernel has given up on the server's host.
        case lost
        case more
        case nothing
    }

    private static func discard(_ descriptor: Int32) -> Discarded {
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { scratch in
            let count = recv(descriptor, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT))
            guard count < 0 else { return count > 0 ? .more : .ended }
            switch errno {
            case EAGAIN, EWOULDBLOCK: return .nothing
            case EINTR: return .more
            case ETIMEDOUT, EHOSTUNREACH, ENETUNREACH: return .lost
            default: return .ended
            }
        }
    }

    /// Has the kernel find out within about two minutes that the server's host is gone, so that no wait lasts for ever.
    private static func detectDeadPeers(_ descriptor: Int32) {
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), Machine.idleBeforeKeepAlive, 60)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }
}

/// Ends sessions on the server with KILL, from a connection outside of the scopes.
///
/// That connection is in the reserve, the part of the limit that the budget leaves free, which one task of this host may use
/// at a time. Where the budget leaves nothing free it takes a slot like any other connection.
struct SessionKiller: Sendable {
    let sessions: Sessions

    /// Has the server end a session.
    ///
    /// - Returns: The proof that it has; `nil` when no connection for it was to be had, or the server was too slow.
    func kill(_ sessionID: UInt64, until deadline: ContinuousClock.Instant) async -> SessionEnd? {
        let limits = Limits(deadline: deadline, isCancellable: false)
        guard let admission = sessions.gate?.current else { return await kill(sessionID, in: nil, limits) }
        if admission.hasReserve {
            return await admission.with(.reserve, until: deadline) { await kill(sessionID, in: nil, limits) } ?? nil
        }
        // The session to be killed has the only slot: waiting for another would be waiting for itself.
        guard admission.budget.slots > 1 else { return nil }
        let holder = Holder.thisProcess(program: sessions.settings.programName, label: "ending a session", site: "")
        switch try? await admission.admit(holder, limits: limits) {
        case nil:
            return nil
        case .slot(let slot):
            return await kill(sessionID, in: slot, limits)
        case .session(let kept):
            // A kept connection will do as well as a new one.
            guard let session = kept.take() else { return nil }
            return await kill(sessionID, with: session, limits)
        }
    }

    private func kill(_ sessionID: UInt64, in slot: UnusedSlot?, _ limits: Limits) async -> SessionEnd? {
        guard let session = try? await sessions.connect(in: slot, limits) else { return nil }
        return await kill(sessionID, with: session, limits)
    }

    /// Sends the KILL until there is no such session any more.
    private func kill(_ sessionID: UInt64, with session: consuming Session, _ limits: Limits) async -> SessionEnd? {
        var end: SessionEnd?
        var backoff = Backoff(first: .milliseconds(2), most: .milliseconds(50))
        while limits.deadline ?? .now > .now {
            do {
                try await session.query(SQL(raw: "KILL \(sessionID)"), limits)
                _ = await EventLoop.shared.reserve().wait(until: .now + backoff.next(), cancellable: false)
            } catch {
                end = SessionEnd(afterKill: error)
                break
            }
        }
        await session.close(isKiller: true)
        return end
    }
}
