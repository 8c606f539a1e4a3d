#if !os(Linux) || HEADROOM_TEST_PORTABLE
import CLibrary

/// Watches a file for posts by reading it a hundred times a second, for systems without inotify.
///
/// Each post writes another random word into the file, so none is lost, however many come at once. That a file was closed is
/// not seen.
final class FileWatch: Sendable {
    /// What has happened since the last look.
    struct Events {
        var wasPosted = false
        var wasClosed = false
    }

    /// Whether it sees that a file was closed at all.
    static let seesClosing = false

    private static let pause: Duration = .milliseconds(10)

    private let descriptor: Int32
    private let known: Locked<UInt64>

    /// Begins to watch, or returns `nil` when the file cannot be read.
    ///
    /// - Parameters:
    ///   - path: The file that is posted to.
    ///   - closed: Ignored.
    init?(_ path: String, closing closed: String? = nil) {
        descriptor = (try? RegularFile.open(path, O_RDONLY)) ?? -1
        known = Locked(Self.word(descriptor))
        if descriptor < 0 { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Posts to a file that is open for writing.
    static func post(_ descriptor: Int32) {
        var word = UInt64.random(in: 1...(.max))
        _ = pwrite(descriptor, &word, MemoryLayout<UInt64>.size, 0)
    }

    /// Suspends the task until the file is posted to; a post since the last wait counts.
    func wait(until deadline: ContinuousClock.Instant) async -> EventLoop.Outcome {
        while !wasPosted() {
            guard deadline > .now else { return .deadlinePassed }
            let next = min(deadline, .now + Self.pause)
            if await EventLoop.shared.reserve().wait(until: next, cancellable: true) == .cancelled { return .cancelled }
        }
        return .ready
    }

    /// Runs a short action on the event loop's thread whenever something happens, for as long as this exists.
    func tell(_ action: @escaping @Sendable (Events) -> Void) {
        _ = EventLoop.shared.schedule(at: .now + Self.pause) { [weak self] in
            guard let self else { return }
            if wasPosted() { action(Events(wasPosted: true)) }
            tell(action)
        }
    }

    private func wasPosted() -> Bool {
        let word = Self.word(descriptor)
        return known.withLock { known in
            defer { known = word }
            return known != word
        }
    }

    private static func word(_ descriptor: Int32) -> UInt64 {
        var word: UInt64 = 0
        _ = pread(descriptor, &word, MemoryLayout<UInt64>.size, 0)
        return word
    }
}
#endif
