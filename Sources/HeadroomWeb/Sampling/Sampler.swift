import Headroom

/// Looks at something on behalf of everybody who wants to see it: one look, however many they are.
actor Sampler<Picture: Sendable> {
    /// What a look came to, and why it saw nothing.
    typealias Look = @Sendable () async -> (picture: Picture, error: DatabaseError?)

    private let makePicture: Look
    private var cadence: SamplerCadence
    private var last: Picture?
    private var looking: Task<Picture, Never>?
    private var watching: Task<Void, Never>?
    private var viewers: [Int: AsyncStream<Picture>.Continuation] = [:]
    private var nextViewer = 0

    init(interval: Duration, look: @escaping Look) {
        makePicture = look
        cadence = SamplerCadence(interval: interval)
    }

    /// The number of those who watch.
    var viewerCount: Int { cadence.viewers }

    /// What is to be seen: the last picture while it is younger than the interval, else a new one.
    func picture() async -> Picture {
        if let looking { return await looking.value }
        if let last, !cadence.isDue(at: .now) { return last }
        return await look()
    }

    /// The same; `nil` when it takes longer than that.
    func picture(within deadline: Duration) async -> Picture? {
        let (stream, continuation) = AsyncStream.makeStream(of: Picture?.self)
        Task { continuation.yield(await picture()) }
        let timer = Task {
            try? await Task.sleep(for: deadline)
            continuation.yield(nil)
        }
        defer { timer.cancel() }
        for await picture in stream { return picture }
        return nil
    }

    /// Every picture from now on, and the last one at once; who is slow misses some.
    func pictures() -> AsyncStream<Picture> { watch().pictures }

    /// The same, with what ends it.
    func watch() -> (pictures: AsyncStream<Picture>, end: @Sendable () -> Void) {
        let (stream, continuation) = AsyncStream.makeStream(of: Picture.self, bufferingPolicy: .bufferingNewest(1))
        let viewer = nextViewer
        nextViewer += 1
        viewers[viewer] = continuation
        cadence.viewerCame()
        continuation.onTermination = { _ in Task { await self.leave(viewer) } }
        if let last { continuation.yield(last) }
        if watching == nil { watching = Task { await keepLooking() } }
        return (stream, { continuation.finish() })
    }

    /// Makes the next picture a new one: something was just done about it.
    func expire() { last = nil }

    private func leave(_ viewer: Int) {
        guard viewers.removeValue(forKey: viewer) != nil else { return }
        cadence.viewerLeft()
        // Who sleeps until the next look has nobody to look for.
        if viewers.isEmpty { watching?.cancel() }
    }

    private func keepLooking() async {
        loop: while true {
            switch cadence.decision(at: .now) {
            case .rest: break loop
            case .wait(let until): try? await Task.sleep(until: until)
            case .look:
                if let looking { _ = await looking.value } else { _ = await look() }
            }
            // Somebody else may have come since this one was told to stop: then it goes on in a new task.
            if Task.isCancelled { break }
        }
        watching = viewers.isEmpty ? nil : Task { await keepLooking() }
    }

    private func look() async -> Picture {
        cadence.lookBegan(at: .now)
        // A task of its own: who asked may go away, and others wait for the same look.
        let task = Task {
            let (picture, error) = await makePicture()
            ended(picture, error)
            return picture
        }
        looking = task
        return await task.value
    }

    private func ended(_ picture: Picture, _ error: DatabaseError?) {
        cadence.lookEnded(at: .now, error: error)
        looking = nil
        last = picture
        for viewer in viewers.values { viewer.yield(picture) }
    }
}
