import CLibrary

/// What the slots of an account look like at one moment, over all processes of this host.
public struct SlotReport: Sendable {
    /// The account's folder, which all of them share.
    public var folder: String

    /// The account as its server knows it, with the server.
    public var account: String

    /// The account's limit, as far as it is known.
    public var limit: Int?

    /// How many slots may be held.
    public var budget: Int

    /// Whether a program of this host has set a smaller budget than the limit and this program's settings make.
    public var isBudgetAnothers: Bool

    /// The slots that are held, by their numbers.
    public var held: [Held]

    /// The processes whose tasks wait, the longest waiting first.
    public var waiting: [Waiting]

    /// The sessions of the account that had no slot when the limit was last read: other programs', or another host's.
    public var foreignSessions: Int

    /// A slot that is held.
    public struct Held: Sendable {
        /// The slot's number, from 0.
        public var slot: Int
        /// Who holds it.
        public var holder: Holder
    }

    /// A process whose tasks wait for slots.
    public struct Waiting: Sendable {
        /// The process.
        public var holder: Holder
        /// The number of its tasks that wait.
        public var tasks: Int
        /// For how long the first of them has waited.
        public var longest: Duration
    }

    /// Looks at the slots of the account that the settings lead to; opens no connection.
    ///
    /// - Parameter settings: The settings.
    /// - Throws: ``DatabaseError`` with `accountUnknown` when no program of this host has logged in with them yet.
    public init(_ settings: DatabaseSettings) throws {
        let book = AccountDirectory(folder: StateFolder(settings.stateFolder))
        guard let folder = book.account(of: settings) else {
            throw book.obstacle(to: settings)
                ?? DatabaseError(
                    .accountUnknown,
                    message: "No program of this host has logged in as \(settings.description) through Headroom yet.",
                    advice: "Then nobody holds a slot of it. If one should: it may use another state folder "
                        + "(this one: \(book.folder.path), HEADROOM_STATE_DIR) or another way to the server, or the folder was removed."
                )
        }
        try self.init(folder: folder, settings: settings)
    }

    init(folder: String, settings: DatabaseSettings) throws {
        // Read only, as a guest: being a member would be seen, and closing a file that was open for writing would wake
        // all that wait.
        let file = try SlotFile(reading: "\(folder)/slots")
        self.folder = folder
        account = (AccountDirectory.text("\(folder)/account") ?? "").keeping { !$0.endsLine }
        var table = SlotTable()
        file.read(into: &table)
        limit = table.limit
        foreignSessions = table.foreignSessions
        var own = SlotTable.Member()
        own.budget = settings.budget ?? 0
        own.reserve = settings.reserve + settings.frontDoor
        let mine = table.budget(of: own) ?? 1
        budget = mine
        waiting = []
        for member in 0..<table.membersUsed {
            let record = table[member: member]
            guard record.isPresent, file.isLockedByOther(.member(member)) else { continue }
            budget = min(budget, table.budget(of: record) ?? budget)
            guard record.ticket > 0 else { continue }
            let now = Admission.now
            waiting.append(
                Waiting(
                    holder: file.holder(ofMember: member),
                    tasks: record.waiting,
                    longest: .nanoseconds(Int64(now > record.ticket ? now - record.ticket : 0))
                )
            )
        }
        isBudgetAnothers = budget < mine
        waiting.sort { $0.longest > $1.longest }
        held = (0..<SlotTable.slotCount)
            .compactMap { slot in
                guard table.isHeld(slot), file.isLockedByOther(.slot(slot)) else { return nil }
                return Held(slot: slot, holder: file.holder(of: slot))
            }
    }
}

extension Database {
    /// Holds slots of the budget while the body runs, for a program that opens its own connections.
    ///
    /// - Parameters:
    ///   - count: How many.
    ///   - label: What they are for, shown with the slots.
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
        try await withProgramSlots(count, label: label, timeout: timeout) { _ in try await body() }
    }

    /// The same for a child that is to keep them should this process be killed.
    package func withProgramSlots<Result>(
        _ count: Int,
        label: String,
        timeout: Duration,
        _ body: (ProgramSlots) async throws -> Result
    ) async throws -> Result {
        let slots = try await takeSlots(count, label: label, limits: Limits(deadline: .now + timeout))
        defer { for slot in slots { slot.release() } }
        return try await body(ProgramSlots(slots: slots))
    }

    private func takeSlots(_ count: Int, label: String, limits: Limits) async throws -> [UnusedSlot] {
        guard count > 0 else { return [] }
        func tooMany(_ budget: Int) -> DatabaseError {
            // No wait helps.
            DatabaseError(
                .settingsInvalid,
                message: "\(count) slots are more than the account's budget of \(budget).",
                advice: "Ask for fewer, or see with 'headroom slots' what the budget is made of."
            )
        }
        if let budget = settings.budget, settings.hosts == nil, count > budget { throw tooMany(budget) }
        let admission = try await sessions.admission(limits)
        // Where several hosts share the account, what this one has now says nothing of what it may come to.
        let budget = admission.mostSlots
        guard count <= budget else { throw tooMany(budget) }
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

/// Slots that are held for a program.
package struct ProgramSlots: Sendable {
    let slots: [UnusedSlot]

    /// The descriptor that holds them: a child that has it too keeps them when this process is killed.
    package var inheritable: Int32? { slots.first?.inheritable }

    /// Notes that a child has them from now on.
    package func hand(to child: Int32) {
        for slot in slots { slot.hand(to: child) }
    }
}

extension DatabaseSettings {
    /// How many slots of the account are held for a program that this process is a part of (`headroom run --slots`): its child, or
    /// a child's child.
    package func slotsGiven() -> Int {
        guard let report = try? SlotReport(self) else { return 0 }
        var ancestors: Set<pid_t> = []
        var process = getpid()
        while process > 1, ancestors.insert(process).inserted { process = Machine.parent(of: process) ?? 0 }
        return report.held.count { $0.holder.state == .program && ancestors.contains($0.holder.processID) }
    }
}

extension Connection {
    /// Ends the sessions that a process of this host has, as far as its slots say; for a process that does nothing any more.
    ///
    /// - Parameter process: The process.
    /// - Throws: ``DatabaseError`` when the connection is lost, `CancellationError`.
    package func endSessions(of process: ProcessIdentity) async throws {
        guard let report = try? SlotReport(sessions.settings) else { return }
        for held in report.held
        where held.holder.processID == process.processID && held.holder.processStart == process.start {
            guard held.holder.sessionID > 0, held.holder.sessionID != sessionID else { continue }
            do {
                try await query(SQL(raw: "KILL \(held.holder.sessionID)"))
            } catch let error as DatabaseError where error.code == .statementFailed {
                // It is gone, or the id is another account's.
            }
        }
    }
}
