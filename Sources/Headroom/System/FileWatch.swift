#if os(Linux) && !HEADROOM_TEST_PORTABLE
import CLibrary

/// Hears when a file is rung, and when another is closed by who could write to it: the kernel tells (inotify).
final class FileWatch: Sendable {
    /// What is heard.
    struct Heard {
        var wasRung = false
        var wasClosed = false
    }

    /// Whether it hears of files being closed at all.
    static let hearsClosing = true

    private let inotify: Int32

    /// Begins to listen, or returns `nil` when the kernel gives this process no watch (`fs.inotify.max_user_instances`).
    ///
    /// - Parameters:
    ///   - bell: The file that may be rung.
    ///   - closed: The file that may be closed, if one is of interest.
    init?(_ bell: String, closing closed: String? = nil) {
        inotify = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
        // Closed by `deinit` also when a watch fails, as everything has its value by now.
        guard inotify >= 0, inotify_add_watch(inotify, bell, UInt32(IN_MODIFY | IN_DONT_FOLLOW)) >= 0 else {
            return nil
        }
        if let closed, inotify_add_watch(inotify, closed, UInt32(IN_CLOSE_WRITE | IN_DONT_FOLLOW)) < 0 { return nil }
    }

    deinit {
        if inotify >= 0 { close(inotify) }
    }

    /// Rings a file that is open for writing.
    static func ring(_ descriptor: Int32) {
        var byte: UInt8 = 1
        _ = pwrite(descriptor, &byte, 1, 0)
    }

    /// Suspends the task until the file is rung; a ring since the last wait counts.
    func wait(until deadline: ContinuousClock.Instant) async -> Waiting.Outcome {
        let outcome = await Waiting.shared.wait(
            for: inotify,
            events: Int32(POLLIN),
            until: deadline,
            cancellable: true
        )
        if outcome == .ready { _ = collect() }
        return outcome
    }

    /// Runs a short action on the waiting thread whenever something is heard, for as long as this exists.
    func tell(_ action: @escaping @Sendable (Heard) -> Void) {
        Waiting.shared.watch(inotify) { [weak self] in
            if let self { action(collect()) }
        }
    }

    private func collect() -> Heard {
        var heard = Heard()
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while case let count = read(inotify, buffer.baseAddress, buffer.count), count > 0 {
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
                    if event.mask & UInt32(IN_MODIFY) != 0 { heard.wasRung = true }
                    // A queue that has run over has lost we know not what.
                    if event.mask & UInt32(IN_CLOSE_WRITE | IN_Q_OVERFLOW) != 0 { heard.wasClosed = true }
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        return heard
    }
}
#endif
