import Headroom

/// Reads the server's replies to an ``AccountLook``.
struct AccountAnswers {
    private let replies: [Result<QueryResult, DatabaseError>]
    private let own: UInt64

    /// How long the look took: who has slept for less may have been in a transaction when those were listed, or not.
    private let took: Duration

    init(_ replies: [Result<QueryResult, DatabaseError>], own: UInt64, took: Duration) {
        self.replies = replies
        self.own = own
        self.took = took
    }

    /// The account's name and the limit in force.
    func limit() throws -> (account: String, limit: AccountLimit, server: Int?) {
        let options = AccountOptions(
            grants: ((try? replies[0].get())?.rows ?? []).lazy.compactMap { try? $0.decode(String.self, at: 0) }
                .first { $0.holds("MAX_") } ?? ""
        )
        guard
            let (account, inForce, global, server) = try replies[1].get()
                .first(String.self, Int.self, Int.self, Int.self)
        else { return ("", AccountLimit(value: nil, source: .unknown), nil) }
        let limit = AccountLimit.inForce(inForce, option: options.connections, global: global, server: server)
        return (account, limit, server.asCount)
    }

    /// The sessions inside a transaction, and whether that is known.
    func transactions() throws -> (sessions: Set<UInt64>, knowledge: TransactionKnowledge) {
        switch replies[3] {
        case .failure(let error):
            // 1227: it takes the PROCESS privilege.
            return ([], error.serverCode == 1227 ? .noPrivilege : .unavailable)
        case .success(let result):
            let transactions = try result.decode(UInt64.self, Bool?.self)
            let isNew = transactions.contains { $0 == own && $1 == true }
            return (Set(transactions.map(\.0)), isNew ? .known : .stale)
        }
    }

    /// The sessions that hold locks; `nil` when the server does not tell.
    var lockHolders: Set<UInt64>? {
        LockHolders(replies[8..<replies.count - 1], own: own).map { Set($0.locks.map(\.session)) }
    }

    /// The server's connections.
    func server(limit: Int?) -> ServerUse {
        var status: [String: Int] = [:]
        for row in (try? replies[6].get())?.rows ?? [] {
            guard let (name, value) = try? row.decode(String.self, Int.self) else { continue }
            status[name] = value
        }
        return ServerUse(limit: limit, status: status)
    }

    /// Which row of accounts the session that looks has, and what tells the row's sessions from others.
    private func row(_ rows: [Row], listsOneRow: Bool, _ knowledge: TransactionKnowledge) throws -> AccountRow {
        var row = AccountRow(account: try limit().account)
        row.ownHost = rows.first { $0.number(at: 0) == own }.map { Session.hostName($0.text(at: 2) ?? "") }
        row.isWholeList = listsOneRow && knowledge == .noPrivilege
        row.patterns = (try? replies[7].get())?.rows.map { $0.text(at: 0) ?? "" }
        if row.patterns?.contains(row.pattern) != true { row.patterns = nil }
        return row
    }

    /// The sessions, the longest idle first.
    func sessions(listsOneRow: Bool) throws -> [Session] {
        let programs = programs()
        let (inTransactions, knowledge) = try transactions()
        func inTransaction(_ id: UInt64, for duration: Duration) -> Bool? {
            if id == own { return false }
            guard knowledge == .known else { return nil }
            if inTransactions.contains(id) { return true }
            return duration > took ? false : nil
        }
        let lockHolders = lockHolders
        func holdsLock(_ id: UInt64, for duration: Duration) -> Bool? {
            guard let lockHolders, id != own else { return nil }
            return lockHolders.contains(id) ? true : duration > took ? false : nil
        }
        let rows = try replies[replies.count - 1].get().rows
        let account = try row(rows, listsOneRow: listsOneRow, knowledge)
        var sessions: [Session] = []
        sessions.reserveCapacity(rows.count)
        for row in rows {
            guard let id = row.number(at: 0) else { continue }
            // Below zero only when the server's clock has been set back.
            let duration = Duration.microseconds(Int64(clamping: row.number(at: 5) ?? 0))
            let program = programs[id]
            let (user, host) = (row.text(at: 1) ?? "", row.text(at: 2) ?? "")
            var session = Session(
                id: id,
                user: user,
                host: host,
                database: row.text(at: 3),
                command: row.text(at: 4) ?? "",
                duration: duration,
                inTransaction: inTransaction(id, for: duration),
                program: program?.name,
                processID: program?.processID,
                isOwn: id == own,
                owner: id == own ? .account : account.owner(of: user, from: Session.hostName(host)),
                queryID: row.number(at: 6)
            )
            session.holdsLock = holdsLock(id, for: duration)
            sessions.append(session)
        }
        return sessions.sorted { ($0.isSleeping ? 1 : 0, $0.duration) > ($1.isSleeping ? 1 : 0, $1.duration) }
    }

    /// Whether the list of sessions lacks the one that asked for it: it is another table's turn then.
    var isWithoutOwnSession: Bool {
        guard let rows = (try? replies[replies.count - 1].get())?.rows else { return true }
        return rows.isEmpty
    }

    /// What the clients said of themselves; empty where the server keeps no such record.
    private func programs() -> [UInt64: (name: String?, processID: Int?)] {
        let rows = (try? replies[5].get())?.rows ?? []
        var programs: [UInt64: (name: String?, processID: Int?)] = [:]
        programs.reserveCapacity(rows.count / 2)
        for row in rows {
            guard let id = row.number(at: 0) else { continue }
            if row.number(at: 1) == 1 {
                programs[id, default: (nil, nil)].processID = row.number(at: 2).map { Int(clamping: $0) }
            } else {
                programs[id, default: (nil, nil)].name = row.text(at: 2)
            }
        }
        return programs
    }
}
