#if !os(Linux) || HEADROOM_TEST_PORTABLE
import CLibrary

/// Hears when a file is rung, by looking at it a hundred times a second.
///
/// For systems with no inotify. Whoever rings writes another word into the file, so that no ring is lost, however many come
/// at once. That a file was closed is not heard.
final class FileWatch: Sendable {
    /// What is heard.
    struct Heard {
        var wasRung = false
        var wasClosed = false
    }

    /// Whether it hears of files being closed at all.
    static let hearsClosing = false

    private static let pause: Duration = .milliseconds(10)

    private let descriptor: Int32
    private let known: Guarded<UInt64>

    /// Begins to listen, or returns `nil` when the file cannot be read.
    ///
    /// - Parameters:
    ///   - bell: The file that may be rung.
    ///   - closed: Is not heard of.
    init?(_ bell: String, closing closed: String? = nil) {
        descriptor = (try? RegularFile.open(bell, O_RDONLY)) ?? -1
        known = Guarded(Self.word(descriptor))
        if descriptor < 0 { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// Rings a file that is open for writing.
    static func ring(_ descriptor: Int32) {
        var word = UInt64.random(in: 1...(.max))
        _ = pwrite(descriptor, &word, MemoryLayout<UInt64>.size, 0)
    }

    /// Suspends the task until the file is rung; a ring since the last wait counts.
    func wait(until deadline: ContinuousClock.Instant) async -> Waiting.Outcome {
        while !wasRung() {
            guard deadline > .now else { return .deadlinePassed }
            let next = min(deadline, .now + Self.pause)
            if await Waiting.shared.reserve().wait(until: next, cancellable: true) == .cancelled { return .cancelled }
        }
        return .ready
    }

    /// Runs a short action on the waiting thread whenever something is heard, for as long as this exists.
    func tell(_ action: @escaping @Sendable (Heard) -> Void) {
        _ = Waiting.shared.schedule(at: .now + Self.pause) { [weak self] in
            guard let self else { return }
            if wasRung() { action(Heard(wasRung: true)) }
            tell(action)
        }
    }

    private func wasRung() -> Bool {
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
