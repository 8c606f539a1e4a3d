/// Which of the account's sessions are this program's, and should not be there.
struct LeftSessions {
    /// The sessions that stayed.
    let ids: [UInt64]

    /// Whether the server keeps the programs' names, so that an earlier run's sessions can be told too.
    private let knowsPrograms: Bool

    /// For how long a session of another run may sleep: nothing in a run takes that long.
    private static let patience: Duration = .seconds(10)

    /// Picks them out of the account's sessions.
    init(_ sessions: [Session], opened: Set<UInt64>, program: String) {
        ids =
            sessions.filter { session in
                guard session.isOfAccount, !session.isOwn, !session.isDying else { return false }
                let isEarlier = session.program == program && session.isSleeping && session.duration > Self.patience
                return opened.contains(session.id) || isEarlier
            }
            .map(\.id)
        knowsPrograms = sessions.contains { $0.isOwn && $0.program != nil }
    }

    var finding: Finding {
        guard ids.isEmpty else {
            let list = ids.map(String.init).joined(separator: ", ")
            return .failed(
                "still there: \(list)",
                next:
                    "A proxy or a pool may keep connections; headroom status shows them, headroom kill-idle ends them."
            )
        }
        return .passed(knowsPrograms ? "none, by id and by program" : "none of the sessions that this run opened")
    }
}
