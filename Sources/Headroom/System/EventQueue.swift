#if os(Linux) && !HEADROOM_TEST_PORTABLE
import CLibrary

/// What the event loop's thread sleeps in: one `epoll`, with a timer among its descriptors.
final class EventQueue: Sendable {
    private let epoll: Int32
    private let timer: Int32

    /// The identifier that stands for the timer itself.
    static let timerIdentifier: UInt64 = 0

    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    init() throws(DatabaseError) {
        let queue = epoll_create1(Int32(EPOLL_CLOEXEC))
        let clock = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        guard queue >= 0, clock >= 0 else {
            let reason = errno
            for descriptor in [queue, clock] where descriptor >= 0 { close(descriptor) }
            throw .hostExhausted("descriptor", error: reason)
        }
        epoll = queue
        timer = clock
        watch(timer, as: Self.timerIdentifier)
    }

    deinit {
        close(timer)
        close(epoll)
    }

    /// Reports the descriptor whenever one of `events` is there, for as long as it is open.
    func watch(_ descriptor: Int32, events: UInt32 = UInt32(POLLIN), as identifier: UInt64) {
        // One that was waited for once is still there, silent.
        if kernel_epoll_add(epoll, descriptor, events, identifier) != 0 {
            change(descriptor, events: events, as: identifier)
        }
    }

    /// Changes for which events a descriptor is reported.
    func change(_ descriptor: Int32, events: UInt32, as identifier: UInt64) {
        _ = kernel_epoll_change(epoll, descriptor, events, identifier)
    }

    /// Reports the descriptor once, when it is ready for one of `events`.
    ///
    /// - Returns: Whether it can be watched at all.
    func watchOnce(_ descriptor: Int32, events: Int32, as identifier: UInt64) -> Bool {
        kernel_epoll_oneshot(epoll, descriptor, UInt32(bitPattern: events), identifier) == 0
    }

    /// Reports the descriptor no more.
    func forget(_ descriptor: Int32) {
        _ = kernel_epoll_remove(epoll, descriptor)
    }

    /// Has the timer's identifier reported after a while, once, and no more after an earlier one.
    func setTimer(after time: Duration) {
        _ = kernel_timer_set(timer, max(1, time.nanoseconds))
    }

    /// Takes note that the timer has done its work.
    func noteTimer() {
        var expirations: UInt64 = 0
        _ = read(timer, &expirations, MemoryLayout<UInt64>.size)
    }

    /// Sleeps until something happens, and reports it; for the event loop's one thread.
    func wait(_ report: (_ identifier: UInt64, _ events: UInt32) -> Void) {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = epoll_wait(epoll, events.baseAddress, 64, -1)
            for index in 0..<Int(max(0, count)) { report(events[index].data.u64, events[index].events) }
        }
    }

    /// Waits inline until the descriptor is ready for one of `events`, for less than a second; returns whether it is.
    static func poll(_ descriptor: Int32, events: Int32, within limit: Duration) -> Bool {
        var request = pollfd(fd: descriptor, events: Int16(events), revents: 0)
        return kernel_poll_nanoseconds(&request, 1, Int(limit.nanoseconds)) > 0
    }
}
#endif
