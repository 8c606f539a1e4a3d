import Glibc
import Headroom

/// What the steps that only look make of what they see.
extension Finding {
    /// Judges what an account may do on the whole server, by the lines of SHOW GRANTS.
    ///
    /// Only the names of privileges are looked at and shown, as a line may hold the password's hash.
    package static func grants(_ lines: [String]) -> Finding {
        var global: Set<String> = []
        for line in lines {
            guard let place = line.place(of: " ON *.* TO "), let names = line[..<place.lowerBound].after("GRANT ")
            else { continue }
            global.formUnion(names.pieces(separator: ",").map { $0.dropping { $0 == " " }.uppercased() })
            if line[place.upperBound...].holds(" WITH GRANT OPTION") { global.insert("GRANT OPTION") }
        }
        // With these an attacker who has the application has the server, or is not bound by its limits.
        let tooMuch = global.intersection([
            "ALL PRIVILEGES", "ALL", "SUPER", "CREATE USER", "GRANT OPTION", "FILE", "SHUTDOWN",
        ])
        guard tooMuch.isEmpty else {
            return .failed(
                "on the whole server the account has \(tooMuch.sorted().joined(separator: ", "))",
                next:
                    "Use an account with rights on its own database only; SUPER also gets past the server's limit, so "
                    + "that nothing protects the last place."
            )
        }
        return .passed(
            global.contains("PROCESS")
                ? "PROCESS is there, nothing is excessive"
                : "nothing is excessive; PROCESS is missing, with it status and kill-idle would show which sessions are "
                    + "in a transaction, and all accounts"
        )
    }

    /// Judges whether the budget of this host's programs fits under the account's limit, with the reserve beside it.
    ///
    /// The settings may ask for a budget, all programs of this host share one now, and some of the account's sessions had no
    /// slot when the limit was last read.
    package static func budget(
        _ accountLimit: AccountLimit,
        configured: Int?,
        reserve: Int,
        shared: Int,
        foreign: Int
    ) -> Finding {
        guard let limit = accountLimit.value else { return .skipped("the account's limit is not known") }
        let most = max(shared, configured ?? 0)
        let next = "Lower HEADROOM_BUDGET, or leave it unset: it is the limit minus HEADROOM_RESERVE then."
        guard most <= limit else { return .failed("the budget is \(most), and the limit \(limit)", next: next) }
        // An account of one connection has none to reserve.
        guard limit == 1 || most + reserve <= limit || most == 1 else {
            return .failed("the budget \(most) and the reserve \(reserve) are more than the limit \(limit)", next: next)
        }
        let others = foreign > 0 ? "; \(foreign) sessions had no slot when that was last looked at" : ""
        return .passed("\(most) of \(limit) (\(accountLimit.source.words)), \(limit - most) left free\(others)")
    }

    /// Judges how far the server's clock is from this host's, all in microseconds since 1970.
    ///
    /// Leases and schedules stand in the server's time, slots in the host's: 2 s apart is too much.
    package static func clock(before: Int, server: Int, after: Int) -> Finding {
        // The least that they are apart, whenever within the round trip the server read its own.
        let apart = server < before ? server.subtracting(clamped: before) : server.subtracting(clamped: after)
        guard server < before || server > after else {
            return .passed("none within a round trip of \(after - before) us")
        }
        let text = "\(apart.magnitude / 1000) ms"
        guard apart.magnitude > 2_000_000 else { return .passed(text) }
        return .failed(
            "the server is \(text) \(apart < 0 ? "behind" : "ahead of") this host",
            next: "Let both keep time by NTP: chronyc tracking, timedatectl."
        )
    }

    /// Judges which of the account's sessions should not be there: those that this run has opened, and those of an earlier
    /// one, where the server keeps programs' names.
    package static func leftSessions(_ sessions: [Session], opened: Set<UInt64>, program: String) -> Finding {
        let left = sessions.filter { session in
            guard session.isOfAccount, !session.isOwn, !session.isDying else { return false }
            // Nothing in a run sleeps that long.
            let isEarlier = session.program == program && session.isSleeping && session.duration > .seconds(10)
            return opened.contains(session.id) || isEarlier
        }
        guard left.isEmpty else {
            return .failed(
                "still there: \(left.map { "\($0.id)" }.joined(separator: ", "))",
                next:
                    "A proxy or a pool may keep connections; headroom status shows them, headroom kill-idle ends them."
            )
        }
        let knowsPrograms = sessions.contains { $0.isOwn && $0.program != nil }
        return .passed(knowsPrograms ? "none, by id and by program" : "none of the sessions that this run opened")
    }
}

/// Who may do what with a file or folder.
package struct FileRights {
    package var path: String

    /// The permission bits of `stat`.
    package var mode: UInt32

    /// Whether this user may use it as it is used: read and write, and for a folder enter.
    package var isUsable: Bool

    package init(path: String, mode: UInt32, isUsable: Bool) {
        self.path = path
        self.mode = mode & 0o7777
        self.isUsable = isUsable
    }

    /// Looks at a path; `nil` when there is nothing.
    package init?(_ path: String, isFolder: Bool) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        let wanted = R_OK | W_OK | (isFolder ? X_OK : 0)
        self.init(path: path, mode: information.st_mode, isUsable: access(path, wanted) == 0)
    }

    private var openToAll: String? {
        mode & 0o002 != 0 ? "every user may write to \(this): chmod o-w \(Escaping.shell(path))" : nil
    }

    /// The path with its rights.
    private var this: String { "\(path) (\(String(mode, radix: 8)))" }

    /// What is wrong with a file that settings come from.
    package var problemOfSettings: String? { openToAll }

    /// What is wrong with a folder that programs share.
    package var problemOfFolder: String? {
        if !isUsable { return "this user cannot use \(this): join its group, or name another HEADROOM_STATE_DIR" }
        // Without it what one user makes has a group that the other is not in.
        let isHalfShared = mode & 0o2020 == 0o020
        return openToAll
            ?? (isHalfShared
                ? "\(path) is a group's, but does not hand its group on: chmod g+s \(Escaping.shell(path))" : nil)
    }

    /// What is wrong with a file in such a folder.
    package func problem(in folder: FileRights) -> String? {
        if !isUsable { return "this user cannot use \(this)" }
        let isClosed = folder.isGroups && mode & 0o060 != 0o060
        return openToAll
            ?? (isClosed
                ? "the group of \(folder.path) cannot use \(this): chmod g+rw \(Escaping.shell(path))" : nil)
    }

    /// Whether what is made in this folder is its group's.
    package var isGroups: Bool { mode & 0o2020 == 0o2020 }
}

/// Whether a drill may use connections of an account that others live on.
package enum DrillPermission: Hashable {
    /// It uses at most half of what is free.
    case run
    /// Somebody is to be asked this question first.
    case ask(String)
    /// There is no room, for this reason.
    case skip(String)

    /// Decides.
    ///
    /// - Parameters:
    ///   - what: What the drill does, in words.
    ///   - needed: How many connections it holds at the same time.
    ///   - free: How many connections of the limit are free; `nil` where no limit is known.
    package init(_ what: String, needing needed: Int, free: Int?) {
        guard let free else {
            self = .run
            return
        }
        if needed > free {
            self = .skip("it takes \(needed) connections, and \(max(0, free)) are free")
        } else if needed * 2 <= free {
            self = .run
        } else {
            self = .ask("The next step (\(what)) uses \(needed) of the account's \(free) free connections. Go on?")
        }
    }
}
