/// Takes a slot and gives it back, with no connection: for this project's benchmarks only.
@_spi(Benchmarks) public struct SlotRound: Sendable {
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
