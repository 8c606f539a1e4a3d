import Headroom

/// What was read of the host, before anything is made of it.
struct HostFacts: Sendable {
    var sockets: ServerSockets

    /// The processes that hold one of the sockets.
    var holders: [Holder] = []

    /// The processes that may not be looked into.
    var closed: [HostProcess] = []

    /// The user that looks, and the process that does.
    var user: UInt32
    var ownProcesses: Set<Int32>

    /// Whether processes of other users are hidden altogether (`hidepid`).
    var isProcHidden = false

    /// Why the socket monitor does not answer, when it does not.
    var monitorError: Int32?

    /// Why looking into a process needs more than the same user: Yama's ptrace_scope, 0 where there is none.
    var ptraceScope = 0

    var userNames: [UInt32: String] = [:]

    /// The unit of a database server.
    var serverUnit: String?

    /// A process with the sockets that it holds, by descriptor.
    struct Holder: Sendable {
        var process: HostProcess
        var descriptors: [Int32: UInt64]
        /// The descriptors for which threads of it wait; `nil` when that cannot be seen.
        var waitedFor: Set<Int32>?
    }
}

extension HostView {
    /// Makes a view of what was read.
    init(_ facts: HostFacts) {
        var seen: Set<UInt64> = []
        var processes: [HostProcess] = []
        // In the order of their ids: what a parent opened and its children inherited is the parent's.
        for holder in facts.holders.sorted(by: { $0.process.id < $1.process.id }) {
            var process = holder.process
            process.userName = facts.userNames[process.user]
            process.isOurs = facts.ownProcesses.contains(process.id)
            for (descriptor, inode) in holder.descriptors.sorted(by: { $0.key < $1.key }) {
                guard let client = facts.sockets.clients[inode], seen.insert(inode).inserted else { continue }
                process.sockets.append(
                    HostSocket(
                        descriptor: descriptor,
                        inode: inode,
                        local: client.local,
                        silence: client.silence,
                        hasPending: client.hasPending,
                        isWaitedFor: holder.waitedFor.map { $0.contains(descriptor) }
                    )
                )
            }
            process.sockets.sort { $0.inode < $1.inode }
            if !process.sockets.isEmpty { processes.append(process) }
        }
        self.init(
            processes: Self.markCopies(processes).sorted { ($1.sockets.count, $0.id) < ($0.sockets.count, $1.id) },
            hidden: Self.hidden(facts, seen),
            elsewhere: Dictionary(
                facts.sockets.elsewhere.map { ($0.key?.description ?? "unix socket", $0.value) },
                uniquingKeysWith: +
            ),
            isListening: facts.sockets.isListening
        )
        serverUnit = facts.serverUnit
        blindSpots = Self.blindSpots(facts, hidden)
    }

    /// Marks processes with the same user and command line, unless they are the workers of one pool.
    ///
    /// Workers of a pool are forked by a parent of the same program, such as php-fpm's master; two that somebody started
    /// are not.
    static func markCopies(_ processes: [HostProcess]) -> [HostProcess] {
        let names = Dictionary(processes.map { ($0.id, $0.name) }) { first, _ in first }
        func key(_ process: HostProcess) -> String? {
            // A process that has written itself a title, such as "php-fpm: pool www", is one of a pool.
            let isPooled = names[process.parent] == process.name || process.commandLine.holds(": ")
            return process.isOurs || isPooled ? nil : "\(process.user) \(process.commandLine)"
        }
        let counts = Dictionary(processes.compactMap { key($0).map { ($0, 1) } }, uniquingKeysWith: +)
        return processes.map { process in
            var process = process
            process.isSecondCopy = key(process).flatMap { counts[$0] } ?? 0 > 1
            return process
        }
    }

    private static func hidden(_ facts: HostFacts, _ seen: Set<UInt64>) -> [Hidden] {
        let unseen = facts.sockets.clients.filter { !seen.contains($0.key) }.values
        let byUser = Dictionary(grouping: unseen, by: \.user)
        var hidden = byUser.map { user, clients in
            Hidden(
                user: user,
                userName: user.flatMap { facts.userNames[$0] },
                count: clients.count,
                silences: clients.compactMap(\.silence).sorted(by: >),
                suspects: suspects(facts, of: user)
            )
        }
        if facts.sockets.unixWithoutPeer > 0 {
            hidden.append(
                Hidden(user: nil, userName: nil, count: facts.sockets.unixWithoutPeer, silences: [], suspects: [])
            )
        }
        return hidden.sorted { $0.count > $1.count }
    }

    /// The processes that may hold a user's connections.
    ///
    /// First those of the very user that looks: it may look into its other ones, so these have something about them. (One
    /// that connected as root and then became this user has root's sockets.) Root's own are too many to suspect.
    private static func suspects(_ facts: HostFacts, of user: UInt32?) -> [HostProcess] {
        let closed = facts.closed.filter { $0.id > 2 && $0.parent != 2 && !facts.ownProcesses.contains($0.id) }
        let own = closed.filter { $0.user == facts.user }
        if user == facts.user || !own.isEmpty && user == 0 { return own }
        return user == 0 ? [] : closed.filter { $0.user == user }
    }

    private static func blindSpots(_ facts: HostFacts, _ hidden: [Hidden]) -> [String] {
        var spots: [String] = []
        if let number = facts.monitorError {
            spots.append(
                "The kernel's socket monitor does not answer (error \(number), as in many containers): it is not known "
                    + "who holds the unix sockets, nor how long TCP sockets have been silent."
            )
        }
        if facts.isProcHidden {
            spots.append("Other users' processes are hidden on this host (hidepid): run this as root to see them.")
        }
        if hidden.contains(where: { $0.suspects.contains { $0.user == facts.user } }), facts.user != 0 {
            spots.append(
                "Some processes of this very user may not be looked into: they began as root and changed their user "
                    + "without starting another program, as the workers of PHP-FPM do. The kernel lets only root look "
                    + "into them, or hang up their connections; a signal (rescue --terminate) can be sent without."
            )
        } else if hidden.contains(where: { $0.user != nil }), facts.user != 0 {
            spots.append("Processes of other users can be looked into by root only: run this as root to see them.")
        }
        if facts.ptraceScope > 0, facts.user != 0 {
            spots.append(
                "This host lets only root look into another process (kernel.yama.ptrace_scope is "
                    + "\(facts.ptraceScope)): hanging up from outside needs root."
            )
        }
        return spots
    }
}
