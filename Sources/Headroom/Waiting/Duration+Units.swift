extension Duration {
    /// The duration in whole nanoseconds, at most what an Int64 holds.
    package var nanoseconds: Int64 {
        let (seconds, attoseconds) = components
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? (seconds < 0 ? .min : .max) : product.adding(clamped: attoseconds / 1_000_000_000)
    }
}
