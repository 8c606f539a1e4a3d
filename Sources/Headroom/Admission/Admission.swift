import CLibrary
import Synchronization

/// Admits connections within the budget of one account, over every process of this host.
///
/// The thin shell around ``AdmissionLine``: it holds the file, the lock and the clock, suspends who waits, and does what
/// the line says. See `docs/slots.md` for the whole mechanism.
final class Admission: Sendable {
    let file: SlotFile
    let folder: String

    /// The right to try again while the account is full.
    let connectTurn: ProberLock
    private let frontDoor: Int

    /// Asks for this host's share of the account; `nil` where this is the only host.
    private let shareKeeper = Locked<ShareRenewal?>(nil)
    private let isShared: Bool
    private let placesInUse = Locked<Set<LockByte>>([])
    private let member: Int
    private let notification: MemberNotification
    private let line: Locked<AdmissionLine<Waiter>>
    private let isLookingOver = Atomic(false)

    /// Run on the event loop's thread when others wait: idle connections are then given up.
    private let whenWanted = Locked<[@Sendable () -> Void]>([])

    /// Whether others wait, as far as is known; looked at without a lock.
    private let wanted = Atomic(false)

    /// What a task gets.
    enum Admitted {
        /// A slot, in which it may open a connection.
        case slot(UnusedSlot)
        /// A session that another task of this process kept, with its slot.
        case session(IdleSession)
    }

    fileprivate enum Granted: Sendable {
        case slot(TakenSlot)
        case session(IdleSession)
    }

    /// A task that waits for a slot.
    fileprivate final class Waiter: Sendable {
        let identifier: UInt64
        let wait = EventLoop.shared.reserve()
        let granted = Locked<Granted?>(nil)

        init(identifier: UInt64) { self.identifier = identifier }
    }

    /// By how many nanoseconds at most a task may pass one of another process that came before it: 5 ms.
    ///
    /// Measured with 8 processes of 16 tasks, which wait for 20 ms and more: see `docs/slots.md`.
    private static let tolerance: UInt64 = 5_000_000

    /// How long the next in line may leave a free slot alone before others pass it.
    private static let patience: Duration = .seconds(1)

    /// Joins the members of an account.
    ///
    /// - Parameters:
    ///   - folder: The account's folder.
    ///   - policy: What this member makes of the limit.
    ///   - program: The program's name, shown with its slots.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(folder: String, policy: Policy, program: String) throws {
        self.folder = folder
        isShared = policy.hosts != nil
        file = try SlotFile(path: "\(folder)/slots")
        connectTurn = ProberLock(file: file)
        member = try file.join(program: program)
        notification = try MemberNotification(folder: folder, member: member, slots: file.path)
        var record = SlotTable.Member()
        record.isPresent = true
        record.budget = policy.budget ?? 0
        record.reserve = policy.reserve + policy.frontDoor
        frontDoor = policy.frontDoor
        record.hosts = policy.hosts ?? 0
        record.share = policy.fixedShare ?? 0
        line = Locked(AdmissionLine(member: member, record: record, tolerance: Self.tolerance))
        line.withLock { $0.change(file) { _ in } }
        notification.onEvent = { [weak self] event in self?.notified(event) }
    }

    /// Waits for a slot: first come, first served over all processes of this host.
    ///
    /// - Parameters:
    ///   - holder: Who asks, as the slot will say.
    ///   - limits: When to give up.
    /// - Returns: The slot, perhaps with an open connection in it.
    /// - Throws: Why the wait was given up.
    func admit(_ holder: Holder, limits: Limits) async throws(Interruption) -> Admitted {
        let arrival = line.withLock { $0.arrive(at: Self.now, file, waiter: Waiter.init(identifier:)) }
        let waiter: Waiter
        switch arrival {
        case .admitted(let taken):
            lookAtShare()
            return .slot(UnusedSlot(taken, holder, self))
        case .waits(let place, let work):
            waiter = place
            perform(work)
            lookAtShare()
            // Only who waits listens. What was rung before it did is found by looking once more.
            if notification.listen() { perform(line.withLock { $0.advance(file, lookAtAll: true) }) }
            // A connection may have been kept since this task found none.
            tellKeepers()
            lookOverLater()
        }
        switch await waiter.wait.wait(until: limits.deadline, cancellable: limits.isCancellable) {
        case .ready:
            switch waiter.granted.withLock(\.self) {
            case .slot(let taken):
                return .slot(UnusedSlot(taken, holder, self))
            case .session(let kept):
                kept.slot.pass(to: holder)
                return .session(kept)
            case nil:
                preconditionFailure("A grant comes with its slot.")
            }
        case .deadlinePassed:
            perform(line.withLock { $0.leave(waiter.identifier, file) })
            throw .deadlinePassed
        case .cancelled:
            perform(line.withLock { $0.leave(waiter.identifier, file) })
            throw .cancelled
        }
    }

    /// Hands an open session, with its slot, to this process's first task in line, if that may have the slot now.
    ///
    /// - Returns: Whether there was such a task; if not, the session is still the caller's.
    func handOver(_ kept: IdleSession) -> Bool {
        while let waiter = line.withLock({ $0.handOver(kept.slot.index, at: Self.now, file) }) {
            waiter.granted.withLock { $0 = .session(kept) }
            if waiter.wait.grant() { return true }
            // It gave up in this very moment; the next one, then.
        }
        return false
    }

    /// Takes a slot if one is free and no task waits.
    func admitAtOnce(_ holder: Holder) -> UnusedSlot? {
        guard let taken = line.withLock({ $0.takeAtOnce(file) }) else { return nil }
        lookAtShare()
        return UnusedSlot(taken, holder, self)
    }

    /// Asks for this host's share from now on, whenever that is due.
    func keepShare(_ keeper: ShareRenewal) {
        shareKeeper.withLock { $0 = keeper }
    }

    /// How the names of the locks begin that show whose sessions are this host's.
    var markPrefix: String? { isShared ? shareKeeper.withLock(\.self)?.markPrefix : nil }

    /// Why this host has no share, when it has failed to ask; `nil` otherwise.
    var shareTrouble: String? { shareKeeper.withLock(\.self)?.trouble }

    private func lookAtShare() {
        if isShared { shareKeeper.withLock(\.self)?.look() }
    }

    /// How many slots the host's processes hold, how many of their tasks wait, and what this process has of both.
    var demand: (held: Int, waiting: Int, ownHeld: Int, ownWaiting: Int) {
        line.withLock { line in
            let all = line.demand(file)
            return (all.held, all.waiting, line.held.count, line.waiting)
        }
    }

    /// The budget that this host makes of the account's limit for all hosts together; `nil` while the limit is not known.
    var accountBudget: Int? {
        line.withLock { line in
            line.read(file)
            return line.table.accountBudget(of: line.ownRecord)
        }
    }

    /// The most slots that this host may ever come to hold.
    var mostSlots: Int {
        line.withLock { line in
            line.read(file)
            let own = line.ownRecord
            guard own.hosts > 0, let whole = line.table.accountBudget(of: own) else { return line.budget(file).slots }
            return max(0, whole - own.hosts - (own.hosts - 1) * own.share)
        }
    }

    /// What the host has of the account.
    var hostShare: HostShare { table.hostShare(in: HostMoment.now.boot) }

    /// Writes what the host has of the account, for all its processes.
    ///
    /// - Returns: Whether it is written.
    func setHostShare(_ share: HostShare) -> Bool {
        let isWritten = changeHead { $0.setHostShare(share, in: HostMoment.now.boot) }
        // Kept connections are given up when the host has to hold fewer.
        tellKeepers()
        return isWritten
    }

    /// Gives a slot back; its ``Slot`` calls this once.
    ///
    /// - Returns: Whether a task of this process was next.
    @discardableResult
    func giveBack(_ index: Int) -> Bool {
        let work = line.withLock { $0.giveBack(index, at: Self.now, file) }
        perform(work)
        return !work.granted.isEmpty
    }

    /// Runs the action whenever a task waits for a slot, and marks this member as one that has idle connections to give up.
    func whenWanted(_ action: @escaping @Sendable () -> Void) {
        whenWanted.withLock { $0.append(action) }
        notification.listen()
        line.withLock { $0.change(file) { $0.keepsIdle = true } }
        // A task may have begun to wait a moment before, when this member was not yet marked.
        lookWhetherWanted()
        if mayBeWanted { action() }
    }

    /// Whether a task waits for a slot, of this process or another, or another host for a part of this one's.
    var isWanted: Bool {
        line.withLock { line in
            line.waiting > 0 || line.othersWait(file) || (isShared && line.table.heldSlots() > line.budget(file).slots)
        }
    }

    /// Whether a task waits, as far as this member has been notified: costs no system call.
    var mayBeWanted: Bool { wanted.load(ordering: .relaxed) }

    /// Looks again whether a task waits.
    func lookWhetherWanted() {
        wanted.store(isWanted, ordering: .relaxed)
    }

    /// The number of slots that may be held, all members together, and whether another member's settings made it smaller.
    var budget: (slots: Int, isAnothers: Bool) {
        line.withLock { line in
            line.read(file)
            return line.budget(file)
        }
    }

    /// What the file says.
    var table: SlotTable {
        line.withLock { line in
            line.read(file)
            return line.table
        }
    }

    /// The slots that this member holds.
    var ownSlots: Set<Int> { line.withLock(\.held) }

    /// When the limit was read, in seconds since 1970.
    var limitReadAt: Int64 { line.withLock(\.table.limitReadAt) }

    /// When the server was started, in seconds since 1970, as far as this member has read.
    var serverStartedAt: Int64 { line.withLock(\.table.serverStartedAt) }

    /// Learns a limit that a refusal names.
    func noteRefusal(_ error: DatabaseError) {
        guard error.code == .accountLimitReached, let limit = error.limit, limit > 0, limit != table.limit else {
            return
        }
        changeHead { $0.limit = limit }
    }

    /// Whether the budget leaves a part of the limit free.
    var hasReserve: Bool {
        line.withLock { line in
            line.read(file)
            guard let whole = line.table.limit else { return false }
            // What is the front door's is not free.
            let limit = whole - frontDoor
            // Each of several hosts may be ending a session at the same time.
            if isShared, let whole = line.table.accountBudget(of: line.ownRecord) {
                return limit - whole >= line.ownRecord.hosts
            }
            return limit > line.budget(file).slots
        }
    }

    /// Runs the body with a right that one task of this host has at a time: the reserve, or to gather slots.
    ///
    /// Both are rare and short, so a task that finds it taken looks again every few milliseconds.
    ///
    /// - Returns: What the body returns; `nil` when the right was not to be had before the deadline.
    func with<Result: ~Copyable>(
        _ place: LockByte,
        until deadline: ContinuousClock.Instant?,
        _ body: () async -> Result
    ) async -> Result? {
        var backoff = Backoff(first: .microseconds(500), most: .milliseconds(20))
        while true {
            // The kernel's lock tells processes apart, not the tasks of one.
            let isOurs = placesInUse.withLock { inUse in
                guard !inUse.contains(place), file.tryLock(place) else { return false }
                inUse.insert(place)
                return true
            }
            if isOurs { break }
            if let deadline, deadline <= .now { return nil }
            _ = await EventLoop.shared.reserve().wait(until: .now + backoff.next(), cancellable: false)
        }
        let result = await body()
        placesInUse.withLock { inUse in
            inUse.remove(place)
            file.unlock(place)
        }
        return result
    }

    /// The number of this member's tasks that wait.
    var waiting: Int { line.withLock { $0.waiting } }

    /// Changes the head of the file: the limit and what belongs to it.
    ///
    /// - Returns: Whether it is changed; not when a process that was stopped in the middle of it has the right to.
    @discardableResult
    func changeHead(_ body: (inout SlotTable) -> Void) -> Bool {
        guard file.lockHead() else { return false }
        var table = SlotTable()
        file.read(into: &table)
        body(&table)
        file.writeHead(table)
        file.unlock(.head)
        // A larger limit lets a task in.
        perform(line.withLock { $0.advance(file) })
        return true
    }

    /// The host's monotonic clock, which all its processes share.
    static var now: UInt64 { UInt64(kernel_monotonic_time()) }

    /// Does what the line has decided, with no lock held.
    private func perform(_ work: AdmissionLine<Waiter>.Work) {
        for member in work.wake { notification.post(to: member) }
        for (waiter, slot) in work.granted {
            waiter.granted.withLock { $0 = .slot(slot) }
            // Given up in this very moment: the slot goes on to the next.
            if !waiter.wait.grant() { giveBack(slot.index) }
        }
    }

    private func notified(_ event: MemberNotification.Event) {
        switch event {
        case .posted:
            perform(line.withLock { $0.advance(file) })
            tellKeepers()
        case .slotFileClosed:
            // A process that held or waited may have died. The kernel tells of a closed file a moment before it drops the
            // locks on it, so one look is not enough.
            for delay in [Duration.zero, .microseconds(200), .milliseconds(1), .milliseconds(5), .milliseconds(20)] {
                _ = EventLoop.shared.schedule(at: .now + delay) { [weak self] in
                    guard let self, waiting > 0 else { return }
                    perform(line.withLock { $0.advance(self.file, lookAtAll: true) })
                }
            }
        }
    }

    private func tellKeepers() {
        let actions = whenWanted.withLock(\.self)
        guard !actions.isEmpty else { return }
        lookWhetherWanted()
        guard mayBeWanted else { return }
        for action in actions { action() }
    }

    /// Looks the line over once in a while, for as long as a task waits in it.
    private func lookOverLater() {
        guard !isLookingOver.exchange(true, ordering: .relaxed) else { return }
        _ = EventLoop.shared.schedule(at: .now + (notification.needsPolling ? .milliseconds(20) : Self.patience)) {
            [weak self] in
            guard let self else { return }
            isLookingOver.store(false, ordering: .relaxed)
            guard waiting > 0 else { return }
            perform(line.withLock { $0.overtake(self.file) })
            lookOverLater()
        }
    }
}
