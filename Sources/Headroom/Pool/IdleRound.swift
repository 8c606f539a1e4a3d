/// Takes a kept item and puts it back, with a stub for the connection: for this project's benchmarks only.
@_spi(Benchmarks) public final class IdleRound: Sendable {
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
