/// One host's side of the share-out: what it may hold, and when it is to ask.
///
/// All processes of the host share one (it is kept in the slot file), and one of them at a time asks. The host's clock here
/// is the one that goes on while the machine sleeps; it is never compared with another's.
///
/// Nothing here waits, reads a clock or talks to a server.
struct HostShare: Sendable, Hashable {
    /// How many connections the book has for this host, as far as the host knows.
    private(set) var share = 0

    /// How many of them the host may hold at most.
    private(set) var cap = 0

    /// Until when, in nanoseconds of the host's clock.
    private(set) var usableUntil: UInt64 = 0

    /// When to ask next, in nanoseconds of the host's clock; 0 when there is nothing to say.
    private(set) var nextAt: UInt64 = 0

    /// Whether the last answer was less than was wanted, so that there is a pause before the next question.
    private(set) var isWaiting = false

    init() {}

    /// Takes up what a process of the host has written.
    init(share: Int, cap: Int, usableUntil: UInt64, nextAt: UInt64, isWaiting: Bool) {
        self.share = share
        self.cap = cap
        self.usableUntil = usableUntil
        self.nextAt = nextAt
        self.isWaiting = isWaiting
    }

    /// How many connections of its share the host may hold at this moment.
    func allowed(at now: UInt64) -> Int { now < usableUntil ? cap : 0 }

    /// Whether it is time to ask.
    ///
    /// - Parameters:
    ///   - now: The host's clock.
    ///   - wanted: How many connections the host could use.
    /// - Returns: Whether it is.
    func isDue(at now: UInt64, wanted: Int) -> Bool {
        if now >= nextAt { return wanted > 0 || share > 0 || cap > 0 }
        // More is wanted than before: that is told at once, but for a host that was told to wait.
        return wanted > share && nextAt > 0 && !isWaiting
    }

    /// Works out what the host asks for and gives away, and holds less already where it gives away.
    ///
    /// What is given away must be out of use before the table says so. A process that takes a slot marks it and then looks at the
    /// cap; here the cap is lowered, and then the marks are counted: one of the two sees the other.
    ///
    /// - Parameters:
    ///   - book: The book as it was read.
    ///   - now: The database's clock as it was then.
    ///   - remains: What is left of the sessions of hosts whose time is up.
    ///   - terms: For how long.
    ///   - request: Says what the host holds and wants, once all its processes can see this cap.
    /// - Returns: The book to be written in the place of the one that was read, and what the host gets by it.
    mutating func propose(
        _ book: ShareTable,
        at now: Int64,
        remains: [String: Int],
        _ terms: ShareTiming,
        request: (_ share: HostShare) -> ShareTable.Request
    ) -> (book: ShareTable, answer: ShareTable.Answer) {
        while true {
            var next = book
            let answer = next.exchange(request(self), at: now, remains: remains, terms)
            if cap <= answer.share { return (next, answer) }
            cap = answer.cap
        }
    }

    /// Takes what the book has for it; the book was written in the version that the request was made for.
    ///
    /// - Parameters:
    ///   - answer: What it got.
    ///   - asked: The host's clock from before the database was asked for its time.
    ///   - terms: For how long that holds.
    ///   - jitter: A number from 0 to 1: hosts that ask together do not ask together again.
    mutating func granted(_ answer: ShareTable.Answer, asked: UInt64, _ terms: ShareTiming, jitter: Double) {
        share = answer.share
        cap = answer.cap
        usableUntil = answer.share > 0 ? asked + UInt64(terms.usable.nanoseconds) : 0
        isWaiting = answer.isShort
        let pause = answer.isShort ? terms.pause : answer.isContested ? terms.contested : terms.renewal
        if answer.share == 0, !answer.isShort {
            nextAt = 0
        } else {
            nextAt = asked + UInt64(Double(pause.nanoseconds) * (0.75 + jitter / 2))
        }
    }

    /// Notes that the book could not be read or written; what it holds for this host is as it was, or less.
    mutating func failed(at now: UInt64, _ terms: ShareTiming, jitter: Double) {
        nextAt = now + UInt64(Double(terms.pause.nanoseconds) * (0.75 + jitter / 2))
        isWaiting = true
    }
}

/// How long a host may use its share, and how often it asks.
///
/// The distance between ``usable`` and ``lease`` is what keeps the account whole: it covers the drift of two clocks, the
/// difference between the clocks of two nodes of a cluster, and a login that is still on its way when its host gives up.
struct ShareTiming: Sendable, Hashable {
    /// For how long after it was granted a share is the host's, on the database's clock.
    var lease: Duration = .seconds(30)

    /// For how long the host uses it, on its own clock, from the moment before it asked.
    var usable: Duration = .seconds(20)

    /// How often a host that has what it wants says so.
    var renewal: Duration = .seconds(10)

    /// The same while another host wants more, or this one has more than its equal part.
    var contested: Duration = .seconds(2)

    /// How often a host that wants more asks.
    var pause: Duration = .seconds(1)

    /// For how long a host that waits, and has nothing, is believed to wait.
    var waiting: Duration = .seconds(10)

    /// What all hosts use.
    static let usual = ShareTiming()
}
