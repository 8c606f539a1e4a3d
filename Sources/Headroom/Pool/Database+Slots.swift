extension Database {
    /// Holds slots of the budget while the body runs, for a program that opens its own connections.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - label: What they are for, for those who look.
    ///   - timeout: How long to wait for them.
    ///   - body: What to do meanwhile.
    /// - Returns: What the body returns.
    /// - Throws: ``DatabaseError`` (`budgetExhausted` when they do not come free in time, or the budget is smaller than
    ///   that), `CancellationError`, or what the body throws.
    public func withSlots<Result>(
        _ count: Int,
        label: String = "",
        timeout: Duration,
        _ body: () async throws -> Result
    ) async throws -> Result {
        let slots = try await takeSlots(count, label: label, limits: Limits(deadline: .now + timeout))
        defer { for slot in slots { slot.release() } }
        return try await body()
    }

    private func takeSlots(_ count: Int, label: String, limits: Limits) async throws -> [UnusedSlot] {
        guard count > 0 else { return [] }
        let admission = try await sessions.admission(limits)
        // Where several hosts share the account, what this one has now says nothing of what it may come to.
        let budget = admission.mostSlots
        guard count <= budget else {
            throw DatabaseError(
                .budgetExhausted,
                message: "\(count) slots are more than the account's budget of \(budget).",
                advice: "Ask for fewer, or see with 'headroom slots' what the budget is made of."
            )
        }
        var holder = Holder.thisProcess(program: settings.programName, label: label, site: "")
        holder.state = .program
        // One task of the host gathers several at a time: two that had half of what they want would wait for each other.
        guard count > 1 else { return [try await sessions.slot(holder, admission, limits)] }
        let gathered = await admission.with(.gather, until: limits.deadline) {
            () -> Swift.Result<[UnusedSlot], any Error> in
            var slots: [UnusedSlot] = []
            do {
                for _ in 0..<count { slots.append(try await sessions.slot(holder, admission, limits)) }
                return .success(slots)
            } catch {
                for slot in slots { slot.release() }
                return .failure(error)
            }
        }
        guard let gathered else {
            throw DatabaseError(
                .budgetExhausted,
                message: "Another program of this host has been gathering slots all the time.",
                advice: "See with 'headroom slots' who waits."
            )
        }
        return try gathered.get()
    }
}
