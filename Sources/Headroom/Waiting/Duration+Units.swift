extension Duration {
    /// The duration in whole nanoseconds, at most what an Int64 holds.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product.adding(clamped: attoseconds / 1_000_000_000)
    }
}

extension ContinuousClock.Instant {
    /// The moment after a time that somebody else has chosen: now, when it is negative, and in a hundred years at most.
    static func after(_ time: Duration) -> Self {
        .now + min(max(time, .zero), .seconds(3_200_000_000))
    }
}
