/// Takes a kept item and puts it back, with a stub for the connection: for this project's benchmarks only.
@_spi(Benchmarks) public final class IdleBenchmark: Sendable {
    private final class Stub: Sendable {}

    private let keep = IdleSessions<Stub>(idle: .seconds(30)) { _, _ in }
    private let livesUntil = ContinuousClock.now + .seconds(300)

    /// Keeps one stub.
    @_spi(Benchmarks) public init() {
        keep.put(Stub(), livesUntil: livesUntil)
    }

    /// Takes the stub and puts it back, many times.
    @_spi(Benchmarks) public func run(_ count: Int) {
        for _ in 0..<count {
            guard let stub = keep.take() else { preconditionFailure("The stub was kept.") }
            keep.put(stub, livesUntil: livesUntil)
        }
    }
}

/// Takes a slot and gives it back, with no connection: for this project's benchmarks only.
@_spi(Benchmarks) public struct SlotBenchmark: Sendable {
    private let admission: Admission
    private let holder = Holder.thisProcess(program: "benchmark", label: "a label", site: "Benchmark.swift:1")

    /// Joins an account's folder.
    @_spi(Benchmarks) public init(folder: String, budget: Int) throws {
        admission = try Admission(folder: folder, policy: .init(budget: budget, reserve: 0), program: "benchmark")
    }

    /// Takes a free slot and gives it back; returns whether there was one.
    @_spi(Benchmarks) public func run() -> Bool {
        guard let slot = admission.admitAtOnce(holder) else { return false }
        slot.release()
        return true
    }
}

extension DatabaseSettings {
    /// What a MariaDB session is told before its first statement: for this project's benchmarks only.
    @_spi(Benchmarks) public var sessionStatement: String {
        var limits = SessionLimits(isMariaDB: true, idle: sessionIdleTimeout)
        return limits.beginning(scope: nil)
    }
}
