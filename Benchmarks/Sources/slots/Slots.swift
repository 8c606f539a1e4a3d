import Glibc
@_spi(Benchmarks) import Headroom

/// Measures what a slot costs that nobody else wants, and what keeping a connection costs beside the connection.
///
/// Both without a server: taking a slot and giving it back (two locks of the kernel, the notes for others and a look at who
/// waits), and taking a kept item and putting it back, with a stub for the connection.
@main
struct Slots {
    static let blocks = 31

    static func main() throws {
        let folder = "/tmp/headroom-bench-\(getpid())"
        mkdir(folder, 0o700)
        defer { remove(folder) }
        let round = try SlotBenchmark(folder: folder, budget: 9)
        guard round.run() else { return print("no slot is free") }
        report("slot: take and give back, nobody waits", count: 2_000) { for _ in 0..<$0 { _ = round.run() } }

        let idle = IdleBenchmark()
        report("kept connection: take and put back, stub", count: 200_000) { idle.run($0) }
    }

    /// Prints the median over the blocks of the mean in each: a single round is shorter than the clock can tell.
    static func report(_ name: String, count: Int, _ body: (Int) -> Void) {
        let means = (0..<blocks)
            .map { _ in
                let start = ContinuousClock.now
                body(count)
                return start.duration(to: .now) / .nanoseconds(1) / Double(count)
            }
            .sorted()
        print(
            "  \(name): \(Int(means[blocks / 2].rounded())) ns (blocks from \(Int(means[0])) to \(Int(means[blocks - 1])))"
        )
    }

    static func remove(_ folder: String) {
        for path in ["\(folder)/wake/0", "\(folder)/slots"] { unlink(path) }
        rmdir("\(folder)/wake")
        rmdir(folder)
    }
}
