import Headroom

/// Ends one session, if it still sleeps as it did when the account was looked at.
///
/// Between the list and the KILL a session may wake up and begin a transaction. So the server itself looks again right
/// before it kills, in the same round trip.
/// - MariaDB: the session must have run no statement since (its QUERY_ID is the same, and it has slept on), so what was
///   known of it still holds.
/// - MySQL has no such number: the session must sleep, for at least as long as before. A session that worked and slept again
///   within the same second of its clock is not told apart.
///
/// What is left is the server's own way from the look to the KILL. On MariaDB that is one step of a compound statement,
/// about 2 us by the drill's rate: with sessions that wake up every few hundredths of a second, 2 of 60,000 were ended
/// wrongly. One was looked into, a statement that had just arrived; of the other the kind was not recorded. On MySQL the
/// way is one statement, which is longer and
/// was not measured. Neither server can look and kill in one.
struct GuardedKill {
    let isMariaDB: Bool
    var avoidsPerformanceSchema = false

    /// The statements for a session, sent together.
    func statements(for session: Session) -> [String] {
        let id = session.id
        guard isMariaDB else {
            let table = avoidsPerformanceSchema ? "information_schema.PROCESSLIST" : "performance_schema.processlist"
            let seconds = session.duration.components.seconds
            return [
                """
                SET @headroom_id = (SELECT ID FROM \(table) WHERE ID = \(id) AND COMMAND = 'Sleep' AND TIME >= \(seconds))
                """,
                // Without a session this is KILL 0, which is refused as there is none (error 1094).
                "KILL @headroom_id",
                "SELECT @headroom_id IS NOT NULL, (SELECT COUNT(*) FROM \(table) WHERE ID = \(id))",
            ]
        }
        // The list is slow to make, and the longer the more sessions there are. KILL QUERY ID, which does nothing to a
        // session that sleeps, is quick, and fails when the session has begun another statement since (error 1957, no such
        // query): as the step right before the KILL it leaves the least time between look and deed.
        let query = session.queryID ?? 0
        // A session that has never run a statement has the number 0, as others have, and the step would mark one of those.
        let lastLook = query > 0 ? "KILL SOFT QUERY ID \(query); " : ""
        return [
            """
            BEGIN NOT ATOMIC DECLARE n BIGINT UNSIGNED DEFAULT 0; \
            DECLARE EXIT HANDLER FOR 1957 SELECT 0, 1; \
            SELECT ID INTO n FROM information_schema.PROCESSLIST WHERE ID = \(id) AND QUERY_ID = \(query) \
            AND COMMAND = 'Sleep' AND TIME_MS >= \(session.duration.nanoseconds / 1_000_000 - 1); \
            IF n > 0 THEN \(lastLook)KILL n; SELECT 1, 1; \
            ELSE SELECT 0, COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = \(id) AND COMMAND <> 'Killed'; \
            END IF; END
            """
        ]
    }

    /// Reads the server's replies.
    ///
    /// - Parameter replies: The replies to ``statements(for:)``, in their order.
    /// - Returns: What became of the session.
    /// - Throws: ``DatabaseError`` when the server answered something else.
    func result(_ replies: [Result<QueryResult, DatabaseError>]) throws -> KillReport.Result {
        for case .failure(let error) in replies {
            switch error.serverCode {
            // It went between the look and the KILL; on MySQL also when the look found nothing to kill.
            case 1094: if isMariaDB { return .gone }
            // Another account's session takes CONNECTION ADMIN (MySQL: CONNECTION_ADMIN).
            case 1095, 1227, 1979: return .notPermitted
            default: throw error
            }
        }
        guard let (found, left) = try replies[replies.count - 1].get().first(Int.self, Int.self) else { return .gone }
        if found == 0 { return left == 0 ? .gone : .wokeUp }
        if !isMariaDB, case .failure = replies[1] { return .gone }
        return .killed
    }
}
