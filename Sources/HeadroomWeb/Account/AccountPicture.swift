import Headroom
import HeadroomJobs
import HeadroomWatch
import Reporting

/// What one look at the account came to, for everybody who wants to see it.
struct AccountPicture: Sendable {
    /// When it was taken, in seconds since 1970.
    var takenAt: Double

    /// What the look saw, or why it saw nothing.
    var view: StatusView

    /// The last look that succeeded; `nil` when there was none since the program's start.
    var lastSeen: LastSeen?

    /// What `rescue` would do; `nil` when the account lets us in.
    var rescue: RescueReport?

    /// In how many minutes the account is full if it goes on like this; `nil` when it does not fill.
    var minutesUntilFull: Double?

    /// How often connecting was refused since the program's start, by the server's number and the resource.
    var refusals: [Refusal: Int] = [:]

    /// How the queue of jobs does; `nil` when that is not known.
    var queue: QueueHealth?

    /// What the page shows of it, made once for all.
    var fragments = Fragments()

    /// The live parts of the page, as HTML.
    struct Fragments: Sendable {
        /// When it was seen.
        var stamp = ""
        /// The level, what to do while locked out, and the tiles.
        var account = ""
        /// The table of those who hold connections.
        var holders = ""
        /// What each host has; empty where there is one alone.
        var hosts = ""
    }

    /// A look that succeeded.
    struct LastSeen: Sendable {
        var report: AccountReport
        var at: Double
    }

    /// Why connecting was refused.
    struct Refusal: Sendable, Hashable {
        var code: Int
        var resource: String
    }
}
