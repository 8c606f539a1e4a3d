import CLaunch

/// What of a program is in memory, in megabytes of 2^20 bytes.
package struct ResidentMemory {
    /// The most that there was at any moment.
    package var most: Double
    /// What there was when it was looked at.
    package var now: Double
    /// Of that, what is its own; the rest are pages of files, which programs share.
    package var own: Double

    /// The memory of a process that runs.
    package init(of process: Int32) {
        self.init(claunch_look(process))
    }

    init(_ run: claunch_run) {
        most = Double(run.peak_kilobytes) / 1024
        now = Double(run.resident_kilobytes) / 1024
        own = Double(run.own_kilobytes) / 1024
    }
}
