/// Decides which connections may be hung up from outside, and in which order.
///
/// The least harm first: a TCP connection tells how long it has been silent, so the longest silent one comes first. A unix
/// socket does not: there it is the oldest of the process that holds most.
public struct HangUpChoice: Sendable {
    /// What to hang up, in this order, one at a time.
    public var candidates: [Candidate] = []

    /// What is left alone, and why.
    public var spared: [Spared] = []

    /// A connection that may be hung up.
    public struct Candidate: Sendable, Hashable {
        /// The process.
        public var process: HostProcess
        /// The connection.
        public var socket: HostSocket
    }

    /// A connection that is left alone.
    public struct Spared: Sendable, Hashable {
        /// The process.
        public var process: HostProcess
        /// The connection.
        public var socket: HostSocket
        /// Why it is left alone.
        public var reason: Reason
    }

    /// Why a connection is left alone; the raw values are what `--json` prints.
    public enum Reason: String, Sendable, Hashable {
        /// It is this program's own, or that of one that started it.
        case ours
        /// It is another user's, and only root may hang it up.
        case otherUser = "other_user"
        /// A thread waits for it, or bytes are under way.
        case atWork = "at_work"
        /// It has not been silent for long enough.
        case notSilent = "not_silent"
        /// Its process has not been running for so long as the silence that is asked for.
        case young
        /// It is a page's, and may be in use between two statements: of a unix socket no silence is known.
        case page

        /// The reason in words.
        public var words: String {
            switch self {
            case .ours: "this program's own"
            case .otherUser: "another user's: root only"
            case .atWork: "at work"
            case .notSilent: "not silent for so long"
            case .young: "its process is younger than that"
            case .page: "a page may be using it: --terminate lets PHP-FPM finish that"
            }
        }
    }

    /// Chooses among the connections that have been silent.
    ///
    /// - Parameters:
    ///   - view: The host's view.
    ///   - silence: For how long at least.
    ///   - user: The user that asks.
    public init(_ view: HostView, silentFor silence: Duration, user: UInt32) {
        for process in view.processes {
            for socket in process.sockets {
                if let reason = Self.reason(process, socket, user: user, silence: silence) {
                    spared.append(Spared(process: process, socket: socket, reason: reason))
                } else {
                    candidates.append(Candidate(process: process, socket: socket))
                }
            }
        }
        let most = Dictionary(grouping: candidates.filter(\.socket.isUnix), by: \.process.id).mapValues(\.count)
        candidates.sort { left, right in
            switch (left.socket.silence, right.socket.silence) {
            case (let one?, let other?): one > other
            case (_?, nil): true
            case (nil, _?): false
            case (nil, nil):
                (most[right.process.id] ?? 0, left.socket.inode) < (most[left.process.id] ?? 0, right.socket.inode)
            }
        }
    }

    /// Chooses the connections of one process, or one of them, whatever they are doing.
    ///
    /// - Parameters:
    ///   - view: The host's view.
    ///   - process: The process.
    ///   - descriptor: Its descriptor; `nil` for all of its connections.
    ///   - user: The user that asks.
    public init(_ view: HostView, process: Int32, descriptor: Int32?, user: UInt32) {
        for holder in view.processes where holder.id == process {
            for socket in holder.sockets where descriptor == nil || socket.descriptor == descriptor {
                if let reason = Self.reason(holder, socket, user: user, silence: nil) {
                    spared.append(Spared(process: holder, socket: socket, reason: reason))
                } else {
                    candidates.append(Candidate(process: holder, socket: socket))
                }
            }
        }
    }

    private static func reason(
        _ process: HostProcess,
        _ socket: HostSocket,
        user: UInt32,
        silence: Duration?
    ) -> Reason? {
        if process.isOurs { return .ours }
        if user != 0, user != process.user { return .otherUser }
        guard let silence else { return nil }
        if socket.isAtWork { return .atWork }
        if let known = socket.silence { return known > silence ? nil : .notSilent }
        if process.isPHPPool { return .page }
        // Nothing is known of a unix socket but that it is no older than its process.
        return process.age > silence ? nil : .young
    }
}
