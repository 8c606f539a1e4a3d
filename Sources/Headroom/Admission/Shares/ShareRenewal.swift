import CLibrary

/// Asks for this host's share of the account, whenever that is due.
///
/// The thin shell around ``HostShare``. Each process of the host has one; whichever is first does it for all, with the right
/// that one of them has at a time, on the one connection that is set aside for it. It looks when a task begins to wait, and
/// from time to time while the process holds or wants a slot; a host that is idle gives its share back and looks no more.
final class ShareRenewal: Sendable {
    private struct State {
        var isAsking = false
        var next: (at: UInt64, timer: EventLoop.Scheduled)?
        var trouble: String?
    }

    private weak let admission: Admission?
    private let sessions: Sessions
    private let hosts: Int
    private let base: Int
    private let host: HostName
    private let terms: ShareTiming
    private let state = Locked(State())

    /// How the names of the locks begin that show whose sessions are this host's.
    let markPrefix: String

    /// Creates the keeper of an account's share on this host.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(_ admission: Admission, _ sessions: Sessions, hosts: Int, terms: ShareTiming = .usual) throws {
        self.admission = admission
        self.sessions = sessions
        self.hosts = hosts
        self.terms = terms
        base = sessions.settings.fixedShare ?? 0
        host = try HostName(folder: admission.folder)
        markPrefix = ShareExchange.markPrefix(host.identity)
    }

    /// Why the last question failed; `nil` when it did not.
    var trouble: String? { state.withLock(\.trouble) }

    /// Looks whether it is time to ask, and when to look again.
    func look() {
        guard let admission else { return }
        let share = admission.hostShare
        let now = HostMoment.now.time
        let demand = admission.demand
        let wanted = max(0, demand.held + demand.waiting - base)
        if share.isDue(at: now, wanted: wanted) {
            ask()
        } else if demand.ownHeld > 0 || demand.ownWaiting > 0 || demand.held == 0 && share.share > 0 {
            // A process that holds or wants something looks again; the host's last one also, to give the share back.
            look(at: max(share.nextAt, now + 1_000_000))
        }
    }

    private func look(at time: UInt64) {
        let now = HostMoment.now.time
        state.withLock { state in
            if let next = state.next, next.at <= time, next.at >= now { return }
            state.next?.timer.revoke()
            let left = Duration.nanoseconds(Int64(clamping: time > now ? time - now : 0))
            let timer = EventLoop.shared.schedule(at: .now + left) { [weak self] in
                self?.state.withLock { $0.next = nil }
                self?.look()
            }
            state.next = (time, timer)
        }
    }

    private func ask() {
        let isFirst = state.withLock { state in
            defer { state.isAsking = true }
            return !state.isAsking
        }
        guard isFirst else { return }
        Task { [self] in
            let isDone: Void? = await admission?.with(.share, until: .now) { await askNow() }
            state.withLock { $0.isAsking = false }
            // Another process is asking: what it gets is all of the host's.
            if isDone == nil { look(at: HostMoment.now.time + 50_000_000) } else { look() }
        }
    }

    private func askNow() async {
        guard let admission, let budget = admission.accountBudget else { return }
        var share = admission.hostShare
        let demand = admission.demand
        guard share.isDue(at: HostMoment.now.time, wanted: max(0, demand.held + demand.waiting - base)) else { return }
        let exchange = ShareExchange(sessions: sessions, terms: terms)
        do {
            let isGranted = try await exchange.run(&share, host: host) { [self] cap in
                guard admission.setHostShare(cap) else { return nil }
                let demand = admission.demand
                return ShareTable.Request(
                    host: host.identity,
                    name: host.words,
                    inUse: max(0, demand.held - base),
                    wanted: max(0, demand.held + demand.waiting - base),
                    budget: budget,
                    hosts: hosts,
                    base: base,
                    clock: Slot.now / 1_000
                )
            }
            if !isGranted { share.failed(at: HostMoment.now.time, terms, jitter: .random(in: 0...1)) }
            state.withLock { $0.trouble = nil }
        } catch {
            share.failed(at: HostMoment.now.time, terms, jitter: .random(in: 0...1))
            let words = (error as? DatabaseError).map { "\($0.message) \($0.advice)" } ?? "\(error)"
            state.withLock { $0.trouble = words }
        }
        _ = admission.setHostShare(share)
    }
}
