/// What kind of file a job imports; the raw values are the queue's.
public enum ImportType: String, Sendable, Hashable, CaseIterable {
    /// Half-hourly readings, in rows or in columns.
    case hh
    /// Daily readings.
    case daily
    /// Sites.
    case sites
}
