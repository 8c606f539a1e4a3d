/// Decides whether and when a job is tried again after an error that may pass.
struct RetryRule: Sendable, Hashable {
    /// How often the job has been tried again already.
    let retries: Int

    /// How often it may be.
    let maxRetries: Int

    /// The longest wait, without the jitter.
    static let longest: Duration = .seconds(60 * 60)

    /// How long to wait: 1, 2, 4 minutes and so on, an hour at most.
    ///
    /// Up to a fifth more, so that jobs that failed together do not come back together.
    ///
    /// - Parameter jitter: A random number from 0 to 1.
    /// - Returns: The wait; `nil` when the job has been tried often enough.
    func delay(jitter: Double) -> Duration? {
        guard retries < maxRetries else { return nil }
        let minutes = retries >= 6 ? 60 : 1 << max(0, retries)
        return .seconds(minutes * 60) * (1 + jitter / 5)
    }
}
