/// Says why there was no slot, or no connection in spite of one, and who of this host holds what.
enum AdmissionFailure {
    /// No slot came free in time.
    static func noSlot(_ admission: Admission, after wait: Duration, _ settings: DatabaseSettings) -> DatabaseError {
        if let trouble = admission.shareTrouble {
            return DatabaseError(
                .budgetExhausted,
                message: "This host could not ask for its share of the account: \(trouble)",
                advice: "Until it can, it holds what HEADROOM_SHARE always leaves it."
            )
        }
        let (slots, isAnothers) = admission.budget
        let what =
            slots == 0
            ? "This host has no share of the account yet: other hosts' connections were"
            : slots == 1 ? "The budget's only connection was" : "All \(slots) connections of the budget were"
        let tenths = Int(clamped: (wait / .milliseconds(100)).rounded())
        let time = tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
        return DatabaseError(
            .budgetExhausted,
            message: "\(what) in use for \(time): "
                + admission.holdersInWords + "."
                + (isAnothers ? " (Another program of this host has set this budget.)" : ""),
            advice: "See who holds them with 'headroom slots'; HEADROOM_WAIT_TIMEOUT says "
                + "how long to wait.",
            limit: slots
        )
    }

    /// The server refused the connection to the end although a slot was held.
    static func refused(_ error: DatabaseError, _ admission: Admission) -> DatabaseError {
        var error = error
        error.message += " Of this host's programs, \(admission.holdersInWords)."
        error.advice =
            "Other programs use the account too, past the budget: find them with 'headroom status', or leave them more "
            + "room with HEADROOM_RESERVE. \(error.advice)"
        return error
    }
}

extension Admission {
    /// The slots that are held, and by whom, as far as the file says.
    var holders: [(slot: Int, holder: Holder)] {
        let table = table
        let own = ownSlots
        return (0..<SlotTable.slotCount)
            .compactMap { slot in
                guard table.isHeld(slot), own.contains(slot) || file.isLockedByOther(.slot(slot)) else { return nil }
                return (slot, file.holder(of: slot))
            }
    }

    /// Who holds how many, such as `php import.php (process 4312) holds 3`.
    var holdersInWords: String {
        var counts: [String: Int] = [:]
        for (_, holder) in holders {
            counts[holder.words(holder.label), default: 0] += 1
        }
        guard !counts.isEmpty else { return "nobody holds one now" }
        let sorted = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let named = sorted.prefix(4).map { "\($0.key) holds \($0.value)" }
        let rest = sorted.dropFirst(4).reduce(0) { $0 + $1.value }
        return named.joined(separator: ", ") + (rest > 0 ? ", and others hold \(rest)" : "")
    }
}

extension Admission {
    /// What this member's settings make of the account's limit.
    struct Policy: Hashable, Sendable {
        /// The budget that the settings name; `nil` takes the limit minus the reserve.
        var budget: Int?

        /// How many connections of the limit are left free.
        var reserve: Int

        /// How many connections of the limit are a front door's.
        var frontDoor = 0

        /// How many hosts share the account; `nil` when this is the only one.
        var hosts: Int?

        /// How many connections are always this host's.
        var fixedShare: Int?
    }
}

extension Admission.Policy {
    /// What the settings say.
    init(_ settings: DatabaseSettings) {
        self.init(
            budget: settings.budget,
            reserve: settings.reserve,
            frontDoor: settings.frontDoor,
            hosts: settings.hosts,
            fixedShare: settings.fixedShare
        )
    }
}
