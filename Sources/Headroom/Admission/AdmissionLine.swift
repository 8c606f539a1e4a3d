import DequeModule

/// A slot that has just been taken.
struct TakenSlot: Hashable, Sendable {
    var index: Int

    /// Whether its holder died without giving it back: the old session may still be there.
    var isInherited = false
}

/// What an ``AdmissionLine`` needs of the slot file; a protocol so that tests can put many lines on one file in memory.
protocol SlotStore {
    /// The moment on the host's clock, which goes on while the machine sleeps; only asked for where hosts share an account.
    var hostMoment: HostMoment { get }
    func read(into table: inout SlotTable)
    func tryLock(_ place: LockByte) -> Bool
    func unlock(_ place: LockByte)
    func isLockedByOther(_ place: LockByte) -> Bool
    func isMarkedHeld(_ slot: Int) -> Bool
    func writeMark(_ slot: Int, held: Bool)
    func writeMember(_ index: Int, _ table: SlotTable)
}

/// Decides which of one member's tasks gets which slot, and who of the other members is to be woken.
///
/// A task takes a free slot when no other waits. Otherwise it stands in its member's line, and the member shows in
/// the file since when its first one waits (a ticket: the time of its coming, on the host's monotonic clock). A member
/// that gives a slot back wakes the member with the oldest ticket, which takes the slot and wakes the next while any seems free. So
/// slots are handed out first come, first served over all processes, at one wake-up for each. To within a tolerance: a member
/// that gives a slot back keeps it for its own first one, if that came only a little after the very first: by half of
/// the time that the very first has waited, and a few milliseconds at most. Going from process to process costs more than all
/// else about a slot.
///
/// No wake-up is lost: a task shows its ticket before it looks at every lock for the last time, and a slot is unlocked
/// before the tickets are read, so that one of the two sees the other. A member that dies, waiting or holding, closes the
/// file, which all who wait are told of. A member that is stopped is passed over, see ``overtake``.
///
/// Nothing here waits, resumes or sleeps: what is to be done comes back as ``Work``.
struct AdmissionLine<Waiter> {
    /// What is to be done once no lock is held.
    struct Work {
        /// The tasks that have got a slot.
        var granted: [(waiter: Waiter, slot: TakenSlot)] = []

        /// The members that are to look again.
        var wake: [Int] = []
    }

    /// What became of a task that came.
    enum Arrival {
        /// It has a slot.
        case admitted(TakenSlot)
        /// It stands in the line, and this is to be done.
        case waits(Waiter, Work)
    }

    private struct Place {
        var identifier: UInt64
        var ticket: UInt64
        var waiter: Waiter
    }

    /// What the file said last.
    private(set) var table = SlotTable()

    private let member: Int
    private var line: Deque<Place> = []
    private var own: Set<Int> = []
    private var lastIdentifier: UInt64 = 0

    /// The ticket of another member that did not take a free slot when the line was last looked over.
    private var idler: UInt64?

    /// By how many nanoseconds at most a task may pass one of another member that came before it.
    private let tolerance: UInt64

    /// Creates the line of a member that has its place in the file already.
    ///
    /// - Parameters:
    ///   - member: Its place.
    ///   - record: What it says of itself.
    ///   - tolerance: By how many nanoseconds at most one of its tasks may pass one of another member that came before it.
    init(member: Int, record: SlotTable.Member, tolerance: UInt64) {
        self.member = member
        self.tolerance = tolerance
        table[member: member] = record
        ownRecord = record
    }

    /// The member's record, as it is to be in the file.
    private(set) var ownRecord: SlotTable.Member

    /// The number of tasks in the line.
    var waiting: Int { line.count }

    /// The slots that this member holds.
    var held: Set<Int> { own }

    /// Takes a free slot for a task that comes, or puts it into the line.
    ///
    /// - Parameters:
    ///   - now: The time on the host's monotonic clock, in nanoseconds.
    ///   - store: The file.
    ///   - waiter: What stands for the task; only asked for when it has to wait.
    /// - Returns: The slot, or the task's place in the line and what is to be done.
    mutating func arrive(
        at now: UInt64,
        _ store: some SlotStore,
        waiter: (UInt64) -> Waiter
    ) -> Arrival {
        if line.isEmpty {
            read(store)
            if waiting(before: .max, store) == nil, let slot = takeMarkedFree(store) { return .admitted(slot) }
        }
        lastIdentifier += 1
        // The clock may stand still between two tasks, but no task is before one that came first.
        let ticket = max(now, (line.last?.ticket ?? 0) + 1)
        let waiter = waiter(lastIdentifier)
        line.append(Place(identifier: lastIdentifier, ticket: ticket, waiter: waiter))
        show(store)
        guard line.count == 1 else { return .waits(waiter, Work()) }
        var work = advance(store, lookAtAll: true)
        work.wake += keepers
        return .waits(waiter, work)
    }

    /// The members that keep idle connections, and give them up when another task waits.
    private var keepers: [Int] {
        (0..<table.membersUsed).filter { $0 != member && table[member: $0].keepsIdle }
    }

    /// Takes a task that gave up out of the line.
    mutating func leave(_ identifier: UInt64, _ store: some SlotStore) -> Work {
        guard let index = line.firstIndex(where: { $0.identifier == identifier }) else { return Work() }
        line.remove(at: index)
        show(store)
        // The wake-up for a free slot may have been meant for it.
        return advance(store)
    }

    /// Gives a slot back, and has the next in line take it.
    mutating func giveBack(_ slot: Int, at now: UInt64, _ store: some SlotStore) -> Work {
        guard own.contains(slot) else { return Work() }
        if let waiter = handOver(slot, at: now, store) { return Work(granted: [(waiter, TakenSlot(index: slot))]) }
        own.remove(slot)
        store.writeMark(slot, held: false)
        store.unlock(.slot(slot))
        return advance(store)
    }

    /// Keeps a slot in this member for its own first task in line, if that may have it now, and takes the task out of the line.
    mutating func handOver(_ slot: Int, at now: UInt64, _ store: some SlotStore) -> Waiter? {
        guard own.contains(slot), let first = line.first else { return nil }
        read(store)
        if let other = waiting(before: first.ticket, store) {
            let waited = now > other.ticket ? now - other.ticket : 0
            guard first.ticket - other.ticket <= min(tolerance, waited / 2) else { return nil }
        }
        guard slot < takable(store) else { return nil }
        line.removeFirst()
        show(store)
        return first.waiter
    }

    /// Hands free slots to the first in the line, as long as they are the first of all members.
    ///
    /// - Parameters:
    ///   - store: The file.
    ///   - lookAtAll: Whether slots marked as held are tried too: their holders may have died.
    /// - Returns: What is to be done.
    mutating func advance(_ store: some SlotStore, lookAtAll: Bool = false) -> Work {
        var work = Work()
        read(store)
        while let first = line.first, waiting(before: first.ticket, store) == nil {
            guard let slot = takeMarkedFree(store) ?? (lookAtAll ? takeFromTheDead(store) : nil) else { return work }
            line.removeFirst()
            work.granted.append((first.waiter, slot))
            show(store)
        }
        // A dead member's ticket may still be there: those that wait are notified of the death, and look for themselves.
        if let other = table.longestWaiting(except: member), seemsFree(store) { work.wake.append(other.index) }
        return work
    }

    /// Looks the whole line over: called now and then while a task waits.
    ///
    /// Finds what no event has told of, and passes over a member that was stopped (Ctrl-Z, a debugger) when its turn came:
    /// one that has left a free slot alone for the whole time since the last look.
    mutating func overtake(_ store: some SlotStore) -> Work {
        var work = advance(store, lookAtAll: true)
        if !line.isEmpty { work.wake += keepers }
        guard let first = line.first, let other = waiting(before: first.ticket, store), seemsFree(store)
        else {
            idler = nil
            return work
        }
        guard idler == other.ticket else {
            idler = other.ticket
            return work
        }
        if let slot = takeMarkedFree(store) {
            line.removeFirst()
            work.granted.append((first.waiter, slot))
            show(store)
        }
        return work
    }

    /// Takes a slot if one is free and no task waits, for work that must not wait itself.
    mutating func takeAtOnce(_ store: some SlotStore) -> TakenSlot? {
        guard line.isEmpty else { return nil }
        read(store)
        return waiting(before: .max, store) == nil ? takeMarkedFree(store) : nil
    }

    /// Whether tasks of other members wait.
    mutating func othersWait(_ store: some SlotStore) -> Bool {
        read(store)
        return waiting(before: .max, store) != nil
    }

    /// Changes the member's own record in the file.
    mutating func change(_ store: some SlotStore, _ body: (inout SlotTable.Member) -> Void) {
        body(&ownRecord)
        table[member: member] = ownRecord
        store.writeMember(member, table)
    }

    /// Reads the file.
    mutating func read(_ store: some SlotStore) {
        store.read(into: &table)
    }

    /// The number of slots that all members together may hold: the smallest of their budgets, and what the host has of an
    /// account that several hosts share.
    mutating func budget(_ store: some SlotStore) -> (slots: Int, isAnothers: Bool) {
        var budget = table.budget(of: ownRecord) ?? 1
        var isAnothers = false
        var base = ownRecord.hosts > 0 ? ownRecord.share : nil
        for index in 0..<table.membersUsed where index != member {
            let record = table[member: index]
            guard record.isPresent else { continue }
            let theirs = table.budget(of: record) ?? .max
            guard theirs < budget || record.hosts > 0 && record.share < base ?? .max, lives(index, store) else {
                continue
            }
            if theirs < budget { (budget, isAnothers) = (theirs, true) }
            if record.hosts > 0 { base = min(base ?? .max, record.share) }
        }
        guard let base else { return (budget, isAnothers) }
        let moment = store.hostMoment
        return (min(budget, base + table.hostShare(in: moment.boot).allowed(at: moment.time)), isAnothers)
    }

    /// How many slots all members hold, and how many tasks of theirs wait.
    mutating func demand(_ store: some SlotStore) -> (held: Int, waiting: Int) {
        read(store)
        var waiting = line.count
        for index in 0..<table.membersUsed where index != member {
            guard table[member: index].waiting > 0, lives(index, store) else { continue }
            waiting += table[member: index].waiting
        }
        return (table.heldSlots(), waiting)
    }

    /// Shows in the file who of this member waits, and since when.
    private mutating func show(_ store: some SlotStore) {
        let (ticket, waiting) = (line.first?.ticket ?? 0, line.count)
        change(store) { record in
            record.ticket = ticket
            record.waiting = waiting
        }
    }

    private mutating func takable(_ store: some SlotStore) -> Int {
        table.takable(within: budget(store).slots)
    }

    private mutating func seemsFree(_ store: some SlotStore) -> Bool {
        (0..<takable(store)).contains { !table.isHeld($0) }
    }

    private mutating func takeMarkedFree(_ store: some SlotStore) -> TakenSlot? {
        for slot in 0..<takable(store) where !table.isHeld(slot) {
            if let taken = take(slot, store) { return taken }
        }
        return nil
    }

    /// Takes the slot of a holder that died; those behind the budget are given back.
    private mutating func takeFromTheDead(_ store: some SlotStore) -> TakenSlot? {
        let takable = takable(store)
        for slot in 0..<SlotTable.slotCount where table.isHeld(slot) {
            guard let taken = take(slot, store) else { continue }
            if slot < takable { return taken }
            own.remove(slot)
            table.mark(slot, held: false)
            store.writeMark(slot, held: false)
            store.unlock(.slot(slot))
        }
        return nil
    }

    private mutating func take(_ slot: Int, _ store: some SlotStore) -> TakenSlot? {
        // One's own lock would be given a second time.
        guard !own.contains(slot), store.tryLock(.slot(slot)) else { return nil }
        own.insert(slot)
        // A slot that is given back loses its mark first: a mark without a lock is a dead holder's.
        let isInherited = store.isMarkedHeld(slot)
        table.mark(slot, held: true)
        store.writeMark(slot, held: true)
        guard ownRecord.hosts == 0 || isWithinShare(slot, isInherited, store) else { return nil }
        return TakenSlot(index: slot, isInherited: isInherited)
    }

    /// Whether the host still has a place for a slot that has just been marked; if not, it is given back.
    ///
    /// Another process may be giving a part of the share away at this moment, see ``HostShare/propose``.
    private mutating func isWithinShare(_ slot: Int, _ isInherited: Bool, _ store: some SlotStore) -> Bool {
        read(store)
        if table.heldSlots() <= budget(store).slots { return true }
        own.remove(slot)
        if !isInherited {
            table.mark(slot, held: false)
            store.writeMark(slot, held: false)
        }
        store.unlock(.slot(slot))
        return false
    }

    /// The living member, other than this one, whose task has waited longest, if that came before a moment.
    private mutating func waiting(before ticket: UInt64, _ store: some SlotStore) -> (index: Int, ticket: UInt64)? {
        while let other = table.longestWaiting(except: member), other.ticket < ticket {
            if lives(other.index, store) { return other }
        }
        return nil
    }

    /// Whether a member lives; the record of one that does not is cleared.
    private mutating func lives(_ index: Int, _ store: some SlotStore) -> Bool {
        if store.isLockedByOther(.member(index)) { return true }
        table[member: index] = SlotTable.Member()
        // Only with its lock: the place may have a new member already.
        if store.tryLock(.member(index)) {
            store.writeMember(index, table)
            store.unlock(.member(index))
        }
        return false
    }
}
