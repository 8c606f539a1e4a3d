#if os(Linux) && !HEADROOM_TEST_PORTABLE
import CLibrary

/// Watches a file for posts, and another for being closed by a process that could write to it (inotify).
final class FileWatch: Sendable {
    /// What has happened since the last look.
    struct Events {
        var wasPosted = false
        var wasClosed = false
    }

    /// Whether it sees that a file was closed at all.
    static let seesClosing = true

    private let inotify: Int32

    /// Begins to watch, or returns `nil` when the kernel gives this process no watch (`fs.inotify.max_user_instances`).
    ///
    /// - Parameters:
    ///   - path: The file that is posted to.
    ///   - closed: The file that may be closed, if one is of interest.
    init?(_ path: String, closing closed: String? = nil) {
        inotify = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        // Closed by `deinit` also when a watch fails, as everything has its value by now.
        guard inotify >= 0, inotify_add_watch(inotify, path, UInt32(IN_MODIFY | IN_DONT_FOLLOW)) >= 0 else {
            return nil
        }
        if let closed, inotify_add_watch(inotify, closed, UInt32(IN_CLOSE_WRITE | IN_DONT_FOLLOW)) < 0 { return nil }
    }

    deinit {
        if inotify >= 0 { close(inotify) }
    }

    /// Posts to a file that is open for writing.
    static func post(_ descriptor: Int32) {
        var byte: UInt8 = 1
        _ = pwrite(descriptor, &byte, 1, 0)
    }

    /// Suspends the task until the file is posted to; a post since the last wait counts.
    func wait(until deadline: ContinuousClock.Instant) async -> EventLoop.Outcome {
        let outcome = await EventLoop.shared.wait(
            for: inotify,
            events: Int32(POLLIN),
            until: deadline,
            cancellable: true
        )
        if outcome == .ready { _ = collect() }
        return outcome
    }

    /// Runs a short action on the event loop's thread whenever something happens, for as long as this exists.
    func tell(_ action: @escaping @Sendable (Events) -> Void) {
        EventLoop.shared.watch(inotify) { [weak self] in
            if let self { action(collect()) }
        }
    }

    private func collect() -> Events {
        var events = Events()
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while case let count = read(inotify, buffer.baseAddress, buffer.count), count > 0 {
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
                    if event.mask & UInt32(IN_MODIFY) != 0 { events.wasPosted = true }
                    // An overflow may have lost any event.
                    if event.mask & UInt32(IN_CLOSE_WRITE | IN_Q_OVERFLOW) != 0 { events.wasClosed = true }
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return events
    }
}
#endif
