/// What was seen of a job that another program works on: the host's own worker, which has no lease and may have died.
struct Sighting: Sendable, Hashable {
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
