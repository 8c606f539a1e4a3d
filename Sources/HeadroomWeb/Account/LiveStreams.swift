import Synchronization

/// The streams of pictures that are open, so that each ends with the session it was opened in.
final class LiveStreams: Sendable {
    /// The most in all, and of one browser's session.
    static let most = (all: 256, ofSession: 32)

    private struct Stream {
        var session: String?
        var end: @Sendable () -> Void
    }

    /// What a stream holds until it ends: given back also when the client goes before the body's first byte, as the body is
    /// then dropped and never written.
    final class Place: Sendable {
        /// Gives it back; a second time does nothing more.
        let leave: @Sendable () -> Void

        init(_ leave: @escaping @Sendable () -> Void) { self.leave = leave }

        deinit { leave() }
    }

    private let streams = Mutex<(next: Int, open: [Int: Stream])>((0, [:]))

    var count: Int { streams.withLock { $0.open.count } }

    /// Takes a stream in.
    ///
    /// - Parameters:
    ///   - session: The session's id; `nil` for a program's.
    ///   - end: Ends the stream.
    /// - Returns: What to ``remove(_:)`` it by; `nil` when there are too many.
    func add(session: String?, end: @escaping @Sendable () -> Void) -> Int? {
        streams.withLock { streams in
            let ofSession = session.map { id in streams.open.values.count { $0.session == id } } ?? 0
            guard streams.open.count < Self.most.all, ofSession < Self.most.ofSession else { return nil }
            streams.next += 1
            streams.open[streams.next] = Stream(session: session, end: end)
            return streams.next
        }
    }

    /// Lets go of a stream that has ended.
    func remove(_ id: Int) { streams.withLock { $0.open[id] = nil } }

    /// Ends the streams of a session, on all its tabs.
    func end(session: String) {
        let ended = streams.withLock { $0.open.values.filter { $0.session == session } }
        for stream in ended { stream.end() }
    }
}
