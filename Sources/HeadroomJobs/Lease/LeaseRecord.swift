import Headroom
import Synchronization

/// What the database says of who works on a job.
struct LeaseRecord: Sendable, Hashable {
    /// The token that its holder's commits carry.
    var token: String

    /// Who holds it.
    var holder: ProcessIdentity

    /// Whether its time is up.
    var isExpired: Bool

    /// How many workers in a row have died over the job without getting anywhere with it.
    var fruitless: Int

    /// Whether its worker has left the job while the job's own row was locked: no process has this number.
    var isGivenBack: Bool { holder.processID == 0 && isExpired }

    /// Whether nobody works on the job any more: on this host that is seen at once, elsewhere when the time is up.
    ///
    /// A process that runs on keeps its job here even when its time is up, as the server may be slow; unless it is stopped, and
    /// does nothing. Then, and on another host, it loses the job, and its next commit fails.
    func isAbandoned(isRunning: Bool?, isStopped: Bool = false) -> Bool {
        if let isRunning, !(isRunning && isStopped) { return !isRunning }
        return isExpired
    }
}

/// Decides what becomes of a job whose worker has died.
struct Takeover: Sendable, Hashable {
    /// How many workers in a row have died without getting anywhere, this one included.
    let fruitless: Int

    /// Whether the job is tried again; otherwise it is what kills them, and fails.
    let isTriedAgain: Bool

    /// Judges a death.
    ///
    /// - Parameters:
    ///   - fruitless: How many died before in a row; a chunk that was stored begins the count anew.
    ///   - maxRetries: How often the job may be tried again.
    init(fruitless: Int, maxRetries: Int) {
        self.fruitless = fruitless.asCount + 1
        isTriedAgain = self.fruitless <= maxRetries
    }

    /// Takes back a lease that could not be given back: nobody has died.
    init(leftOver fruitless: Int) {
        self.fruitless = fruitless
        isTriedAgain = true
    }

    /// Why the job fails.
    var reason: String {
        "The worker died \(fruitless) times in a row while it worked on this job, without getting anywhere."
    }
}

/// The leases under which this process may be at work right now.
///
/// A worker that goes on can be left with a lease that it could not give back, as the server was gone for too long. Seen
/// from outside its process runs, so the job would be nobody's for as long as it does.
enum LiveLeases {
    private static let tokens = Mutex(Set<String>())

    /// Adds a lease, before it is asked for.
    static func insert(_ token: String) {
        tokens.withLock { _ = $0.insert(token) }
    }

    /// Drops a lease that nobody works under any more, whether or not it could be given back.
    static func remove(_ token: String) {
        tokens.withLock { _ = $0.remove(token) }
    }

    /// Whether somebody works under the lease.
    static func contains(_ token: String) -> Bool {
        tokens.withLock { $0.contains(token) }
    }
}

/// What was seen of a job that another program works on: the host's own worker, which has no lease and may have died.
struct StallCheck: Sendable, Hashable {
    /// Whether the job's counts are those of the last look; `nil` when there was none.
    var isUnchanged: Bool?

    /// For how long they have been.
    var age: Duration

    /// What is to be done about a job.
    enum Verdict: Sendable, Hashable {
        /// Its counts are to be remembered, and since when.
        case remember
        /// It may still get on.
        case wait
        /// Nobody gets on with it: it is taken over.
        case adopt
    }

    /// Judges it: a job that has not got on for as long as one may go without progress is nobody's.
    var verdict: Verdict {
        guard isUnchanged == true else { return .remember }
        return age >= QueueHealth.patience ? .adopt : .wait
    }
}
