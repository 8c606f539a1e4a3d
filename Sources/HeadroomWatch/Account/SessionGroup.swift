/// The sessions of an account that have something in common.
public struct SessionGroup: Sendable, Hashable {
    /// What they have in common; `nil` where the server does not know it.
    public var name: String?

    /// How many there are.
    public var sessions = 0

    /// How many are at work.
    public var active = 0

    /// How many have slept for longer than ``AccountReport/maxIdle``.
    public var idle = 0

    /// How many sleep in a transaction, as far as that is known.
    public var inTransaction = 0

    /// For how long the one that has slept longest has done so; `nil` when none sleeps.
    public var oldestIdle: Duration?
}

extension AccountReport {
    /// Groups the sessions that count, the largest group first.
    ///
    /// - Parameter key: What those of a group have in common.
    /// - Returns: The groups.
    public func groups(by key: (Session) -> String?) -> [SessionGroup] {
        var groups: [String?: SessionGroup] = [:]
        for session in sessions where session.isOfAccount && !session.isOwn && !session.isDying {
            let name = key(session)
            var group = groups[name] ?? SessionGroup(name: name)
            group.sessions += 1
            if session.isSleeping {
                group.oldestIdle = max(group.oldestIdle ?? .zero, session.duration)
                if session.duration > maxIdle { group.idle += 1 }
                if session.inTransaction == true { group.inTransaction += 1 }
            } else {
                group.active += 1
            }
            groups[name] = group
        }
        return groups.values.sorted { ($1.sessions, $0.name ?? "") < ($0.sessions, $1.name ?? "") }
    }

    /// The number of sessions that have ended and only roll back: they do not count any more.
    public var dying: Int { sessions.count { $0.isOfAccount && $0.isDying } }

    /// The session that has waited longest for its client; `nil` when none does.
    public var oldestIdle: Session? {
        sessions.first { $0.isOfAccount && !$0.isOwn && $0.isSleeping }
    }

    /// The number of sessions that sleep in a transaction; `nil` when that is not known.
    public var idleInTransaction: Int? {
        guard transactions == .known else { return nil }
        return sessions.count { $0.isOfAccount && !$0.isOwn && $0.isSleeping && $0.inTransaction == true }
    }
}
