import CLibrary

/// A moment on the host's clock, which its processes share, and which goes on while the machine sleeps.
struct HostMoment: Sendable, Hashable {
    /// In nanoseconds since the machine was started.
    var time: UInt64

    /// What tells this run of the machine from every other; the clock begins anew with each.
    var boot: UInt32

    /// This moment.
    static var now: HostMoment { HostMoment(time: UInt64(kernel_uptime()), boot: thisBoot) }

    private static let thisBoot = UInt32(
        truncatingIfNeeded: Machine.bootID.utf8.reduce(5381 as UInt64) { $0 &* 33 &+ UInt64($1) }
    )
}
