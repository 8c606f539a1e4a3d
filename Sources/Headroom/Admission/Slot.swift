import CLibrary
import Synchronization

/// A slot of an account's budget in which no connection is open.
///
/// It is released at any time, and when nothing refers to it any more. To open a connection in it, first make a ``Slot`` of
/// it, which is released with the proof alone that the session has ended.
final class UnusedSlot: Sendable {
    private let slot: Locked<Slot?>

    /// The slot's number.
    let index: Int

    /// Who held the slot before, when that process died without giving it back.
    let predecessor: Holder?

    /// Takes over a slot that was taken from the line.
    convenience init(_ taken: TakenSlot, _ holder: Holder, _ admission: Admission) {
        self.init(Slot(taken, holder, admission))
    }

    fileprivate init(_ slot: Slot) {
        index = slot.index
        predecessor = slot.predecessor
        self.slot = Locked(slot)
    }

    deinit {
        release()
    }

    /// Releases the slot; nothing happens when it was released or used before.
    ///
    /// - Returns: Whether a task of this process was next.
    @discardableResult
    func release() -> Bool {
        take()?.unclaim() ?? false
    }

    /// Notes that a child has the slot from now on.
    func hand(to child: pid_t) {
        slot.withLock { $0?.hand(to: child) }
    }

    /// The descriptor that holds the slot.
    var inheritable: Int32? { slot.withLock { $0?.admission.file.inheritable } }

    /// Makes the slot one in which a connection is opened.
    ///
    /// - Parameter draining: Watches the session should the slot be dropped with it.
    /// - Returns: The slot; `nil` when it was released or used before.
    func use(_ draining: DrainingSessions) -> Slot? {
        let slot = take()
        slot?.begin(draining)
        return slot
    }

    private func take() -> Slot? {
        slot.withLock { slot in
            defer { slot = nil }
            return slot
        }
    }
}

/// A slot of an account's budget, held from before its connection is opened until the server has let that go.
///
/// Only a ``SessionEnd`` releases it. One that is dropped without stays taken: its session is watched until it has ended.
final class Slot: Sendable {
    /// The slot's number.
    let index: Int

    /// The account's slots, of which this is one.
    let admission: Admission

    /// Who held the slot before, when that process died without giving it back.
    let predecessor: Holder?

    private struct State {
        var holder: Holder
        /// How many must let go of it before it is free: its owner, and each attempt in it whose end is not proven.
        var claims = 1
        /// Set while a connection is or may be open in the slot.
        var draining: DrainingSessions?
        var socket: SessionSocket?
    }

    private let state: Locked<State>

    fileprivate init(_ taken: TakenSlot, _ holder: Holder, _ admission: Admission) {
        index = taken.index
        self.admission = admission
        predecessor = taken.isInherited ? admission.file.holder(of: taken.index) : nil
        var holder = holder
        holder.since = Self.now
        state = Locked(State(holder: holder))
        admission.file.writeHolder(taken.index, holder)
    }

    private init(takenOverFrom index: Int, _ admission: Admission, _ state: State) {
        self.index = index
        self.admission = admission
        predecessor = nil
        self.state = Locked(state)
    }

    deinit {
        let state = state.withLock(\.self)
        guard state.claims > 0, let draining = state.draining else { return }
        draining.takeOver(dropped: Slot(takenOverFrom: index, admission, state), state.socket)
    }

    /// The name of the lock by which other hosts tell whose session is in the slot; `nil` where this is the only host.
    var mark: String? { admission.markPrefix.map { "\($0)\(index)" } }

    /// Whether a task waits for a slot, as far as is known: costs no system call while none does.
    var isMaybeWanted: Bool {
        guard admission.mayBeWanted else { return false }
        admission.lookWhetherWanted()
        return admission.mayBeWanted
    }

    /// Notes that the slot has a session.
    func note(session: UInt64, serverStartedAt: Int64, socket: SessionSocket?) {
        change { state in
            state.holder.state = .open
            state.holder.sessionID = session
            state.holder.serverStartedAt = serverStartedAt
            state.socket = socket
        }
    }

    /// Notes what goes on in the slot.
    func note(_ newState: Holder.State) {
        change { $0.holder.state = newState }
    }

    /// Notes that it has been held for longer than expected.
    func noteHeldTooLong() {
        change { $0.holder.isHeldTooLong = true }
    }

    /// Notes that another scope holds the slot from now on.
    func pass(to next: Holder) {
        state.withLock { state in
            var holder = next
            holder.since = Self.now
            holder.state = .open
            holder.sessionID = state.holder.sessionID
            holder.serverStartedAt = state.holder.serverStartedAt
            state.holder = holder
            if state.claims > 0 { admission.file.writeHolder(index, holder) }
        }
    }

    /// Notes that a child has the slot from now on.
    fileprivate func hand(to child: pid_t) {
        change { $0.holder.hand(to: child) }
    }

    /// Releases the slot.
    ///
    /// - Parameter end: Proves that the server does not count the slot's session any more.
    /// - Returns: Whether a task of this process was next.
    @discardableResult
    func release(_ end: consuming SessionEnd) -> Bool {
        unclaim()
    }

    /// Notes that one more proof is needed: an attempt was given up, and another is made meanwhile, at another node.
    func claimAgain() {
        state.withLock { $0.claims += 1 }
    }

    /// Makes the slot one without a connection again, for another attempt.
    ///
    /// - Parameter end: Proves that the server does not count the session of the attempt before.
    /// - Returns: The slot, still held.
    func reopened(_ end: consuming SessionEnd) -> UnusedSlot {
        state.withLock { state in
            state.draining = nil
            state.socket = nil
        }
        return UnusedSlot(self)
    }

    fileprivate func begin(_ draining: DrainingSessions) {
        state.withLock { $0.draining = draining }
    }

    fileprivate func unclaim() -> Bool {
        let isFree = state.withLock { state in
            state.claims -= 1
            return state.claims == 0
        }
        return isFree && admission.giveBack(index)
    }

    private func change(_ body: (inout State) -> Void) {
        state.withLock { state in
            body(&state)
            if state.claims > 0 { admission.file.writeProgress(index, state.holder) }
        }
    }

    /// The time, in nanoseconds since 1970.
    static var now: Int64 { kernel_time_of_day() }
}
