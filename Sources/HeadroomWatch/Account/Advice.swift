public import Headroom

extension AccountReport {
    /// The one thing to do next.
    ///
    /// - Parameter slots: What is known of the slots on this host; `nil` when nothing is.
    /// - Returns: A sentence.
    public func advice(_ slots: SlotReport?) -> String {
        if let refusal { return refusal.isRefusal ? Self.locked(refusal) : refusal.advice }
        let tooLong = slots?.held.filter(\.holder.isHeldTooLong).max { $0.holder.age < $1.holder.age }?.holder
        if let tooLong {
            return
                "\(tooLong.program) (process \(tooLong.processID)) holds a connection for longer than it should, opened at "
                + "\(tooLong.site): look there for what it waits for."
        }
        let open = sessions.filter {
            $0.isOfAccount && $0.isSleeping && $0.inTransaction == true && $0.duration > maxIdle
        }
        if let first = open.max(by: { $0.duration < $1.duration }) {
            return
                "Session \(first.id)\(Self.of(first)) idles in a transaction for \(first.duration.components.seconds) s "
                + "and may hold locks: have its program commit or end it."
        }
        if let waiting { return "\(waiting.words): \(way(out: slots))" }
        switch level {
        case .caution, .warning, .exhausted:
            if idle > 0 {
                return "End the \(idle) idle sessions: headroom kill-idle --max-idle \(maxIdle.components.seconds) "
                    + "(first with --dry-run)."
            }
            if limit.source == .server, let used, sessions.count(where: { $0.isOfAccount }) * 2 < used {
                return
                    "The server is near its limit by what all accounts have open together: tell its administrator, and keep "
                    + "this account's connections few."
            }
            let largest = groups { $0.program ?? $0.hostName }.first
            guard let largest, let used, largest.sessions * 2 > used, let name = largest.name else {
                return "Nothing is idle: lower the programs' pools, or put them under one budget with headroom run."
            }
            return
                "\(largest.sessions) of \(used) connections are \(name)'s: lower its pool, or put it under the budget "
                + "with headroom run."
        case .unknown:
            return "No limit is known to judge by: see what the account's grants say."
        case .ok:
            if idle > 0 {
                return "Nothing is short yet; \(idle) idle sessions could be ended: headroom kill-idle --dry-run."
            }
            return "Nothing to do."
        }
    }

    /// What helps those who wait.
    private func way(out slots: SlotReport?) -> String {
        if idle > 0 {
            return "end the \(idle) idle sessions: headroom kill-idle --max-idle \(maxIdle.components.seconds)."
        }
        let held = slots?.held.count { $0.holder.sessionID != 0 || $0.holder.state == .program } ?? 0
        let own = sessions.count { $0.isOfAccount && !$0.isOwn && !$0.isDying }
        if own > held, let slots, slots.held.count < slots.budget || own > slots.budget {
            return
                "\(own - held) connections go past the line: send their programs through the door (headroom setup), or start them "
                + "with headroom run."
        }
        return
            "all places are at work. See who holds them with headroom slots; shorter queries, or fewer at once, help."
    }

    private static func locked(_ refusal: DatabaseError) -> String {
        // Where all accounts together fill the server, this one's holders are not the cause.
        refusal.isConnectionLimit && refusal.code != .serverLimitReached
            ? "See who holds the connections, and free some: headroom rescue." : refusal.advice
    }

    private static func of(_ session: Session) -> String {
        session.program.map { " (\($0))" } ?? ""
    }

    /// What further rights or settings would show; empty when nothing is hidden.
    public var hidden: [String] {
        guard refusal == nil else { return [] }
        var hidden: [String] = []
        if transactions == .noPrivilege {
            hidden.append("transactions and other accounts' sessions: GRANT PROCESS ON *.* to this account")
        }
        if !sessions.isEmpty, sessions.allSatisfy({ $0.program == nil }) {
            hidden.append("programs and their process ids: performance_schema=ON in the server's settings")
        }
        return hidden
    }
}
