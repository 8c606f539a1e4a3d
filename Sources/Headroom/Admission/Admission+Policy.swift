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
