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
