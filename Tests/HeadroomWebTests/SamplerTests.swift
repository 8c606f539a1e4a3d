import Synchronization
import TestSupport
import Testing

@testable import HeadroomWeb

struct SamplerTests {
    /// Counts looks.
    private final class Scene: Sendable {
        let looks = Mutex(0)

        func look() -> Int {
            looks.withLock {
                $0 += 1
                return $0
            }
        }
    }

    @Test func `Those who ask at once share one look`() async throws {
        let scene = Scene()
        let sampler = Sampler<Int>(interval: .seconds(60)) {
            try? await Task.sleep(for: .milliseconds(20))
            return (scene.look(), nil)
        }
        let seen = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { await sampler.picture() } }
            return await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(seen == [1])
        #expect(scene.looks.withLock(\.self) == 1)
    }

    @Test func `Viewers get every picture, and the last one at once; when they have gone, nobody looks`() async throws {
        let scene = Scene()
        let sampler = Sampler<Int>(interval: .milliseconds(20)) { (scene.look(), nil) }
        let first = Task {
            var seen: [Int] = []
            for await picture in await sampler.pictures() {
                seen.append(picture)
                if seen.count == 3 { break }
            }
            return seen
        }
        #expect(await first.value == [1, 2, 3])
        #expect(try await eventually { await sampler.viewerCount == 0 })
        let looks = scene.looks.withLock(\.self)
        try await Task.sleep(for: .milliseconds(100))
        // One may have begun as the last viewer went.
        #expect(scene.looks.withLock(\.self) <= looks + 1)
    }

    @Test func `A look that takes too long is not waited for`() async throws {
        let sampler = Sampler<Int>(interval: .seconds(60)) {
            try? await Task.sleep(for: .seconds(2))
            return (1, nil)
        }
        #expect(await sampler.picture(within: .milliseconds(10)) == nil)
    }

    @Test func `What something was just done about is looked at anew`() async throws {
        let scene = Scene()
        let sampler = Sampler<Int>(interval: .seconds(60)) { (scene.look(), nil) }
        #expect(await sampler.picture() == 1)
        #expect(await sampler.picture() == 1)
        await sampler.expire()
        #expect(await sampler.picture() == 2)
    }
}
