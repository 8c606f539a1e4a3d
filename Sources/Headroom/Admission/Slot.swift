import CLibrary

/// One unit of an account's budget, held from before its connection is opened until the server has let that go.
final class Slot: Sendable {
    let index: Int
    let admission: Admission
    private let state: Guarded<(holder: Holder, isHeld: Bool)>

    /// Who held the slot before, when that process died without giving it back.
    let predecessor: Holder?

    init(_ taken: TakenSlot, _ holder: Holder, _ admission: Admission) {
        index = taken.index
        self.admission = admission
        predecessor = taken.isInherited ? admission.file.holder(of: taken.index) : nil
        var holder = holder
        holder.since = Self.now
        state = Guarded((holder, true))
        admission.file.writeHolder(taken.index, holder)
    }

    deinit {
        giveBack()
    }

    /// The name of the lock by which other hosts tell whose session is in the slot; `nil` where this is the only host.
    var mark: String? { admission.markPrefix.map { "\($0)\(index)" } }

    /// Whether somebody waits for a slot, as far as is known: costs no system call while nobody does.
    var isMaybeWanted: Bool {
        guard admission.mayBeWanted else { return false }
        admission.lookWhetherWanted()
        return admission.mayBeWanted
    }

    /// Notes that the slot has a session.
    func note(session: UInt64, serverStartedAt: Int64) {
        change { holder in
            holder.state = .open
            holder.sessionID = session
            holder.serverStartedAt = serverStartedAt
        }
    }

    /// Notes what goes on in the slot.
    func note(_ newState: Holder.State) {
        change { $0.state = newState }
    }

    /// Notes that it has been held for longer than expected.
    func noteHeldTooLong() {
        change { $0.isHeldTooLong = true }
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
            if state.isHeld { admission.file.writeHolder(index, holder) }
        }
    }

    /// Gives the slot back; a second time does nothing.
    ///
    /// - Returns: Whether a task of this process was next.
    @discardableResult
    func giveBack() -> Bool {
        let wasHeld = state.withLock { state in
            defer { state.isHeld = false }
            return state.isHeld
        }
        return wasHeld && admission.giveBack(index)
    }

    private func change(_ body: (inout Holder) -> Void) {
        state.withLock { state in
            body(&state.holder)
            if state.isHeld { admission.file.writeProgress(index, state.holder) }
        }
    }

    /// The time, in nanoseconds since 1970.
    static var now: Int64 { kernel_time_of_day() }
}
