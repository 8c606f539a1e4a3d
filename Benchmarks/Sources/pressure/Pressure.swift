import CCycle
import Glibc
@_spi(Benchmarks) import Headroom
import HeadroomSandbox
import Subprocess
import SystemPackage

/// Compares Headroom under pressure, 8 processes of 16 tasks within one budget of 10, with 10 loops in C that have a place
/// each and need no budget.
///
/// In turns, a few seconds each, on one server. The loops in C are the upper bound: they never wait for a place. They run
/// bare, and with the statement that Headroom sends each session first. Takes the path of the `headroom` program.
@main
struct Pressure {
    static let rounds = 7
    static let seconds = 4

    static func main() async throws {
        guard CommandLine.arguments.count == 2 else { return print("usage: pressure PATH-OF-HEADROOM") }
        try await Sandbox.with(SandboxOptions(limit: 10)) { sandbox in
            // A query of 2 ms, as pages have; and none to speak of, so that only opening and closing is left.
            for queryMilliseconds in [2, 0] {
                try await compare(CommandLine.arguments[1], sandbox, queryMilliseconds: queryMilliseconds)
            }
        }
    }

    /// Takes turns, and prints the ratios.
    static func compare(_ path: String, _ sandbox: Sandbox, queryMilliseconds: Int) async throws {
        let query = queryMilliseconds > 0 ? "SELECT SLEEP(0.00\(queryMilliseconds))" : "SELECT 1"
        let telling = DatabaseSettings(endpoint: .socket(path: sandbox.socket), username: "app").sessionStatement
        func loops(first: String?) -> Double {
            Double(ccycle_loops(sandbox.socket, "app", "sandbox", "app", first, query, 10, Int32(seconds)))
        }
        print("  each query: \(query)")
        var ratios: [Double] = []
        var alike: [Double] = []
        for round in 0..<rounds {
            let c = loops(first: nil)
            let toldC = loops(first: telling)
            let drill = try await headroom(path, sandbox, queryMilliseconds: queryMilliseconds)
            let ours = drill["per_second"] ?? 0
            ratios.append(ours / c)
            alike.append(ours / toldC)
            let longest = tenths((drill["longest_wait_seconds"] ?? 0) / (drill["mean_wait_seconds"] ?? 1))
            let shares = hundredths((drill["most_by_process"] ?? 0) / (drill["fewest_by_process"] ?? 1))
            print(
                "  round \(round + 1): C \(Int(c)) a second, telling sessions the same \(Int(toldC)), "
                    + "Headroom \(Int(ours)), refused \(Int(drill["refused"] ?? -1)), "
                    + "longest wait \(longest) times the mean, shares 1 : \(shares)"
            )
        }
        ratios.sort()
        alike.sort()
        print(
            "  throughput, 8 processes of 16 tasks against 10 loops in C: median ratio \(hundredths(ratios[rounds / 2])) "
                + "(from \(hundredths(ratios[0])) to \(hundredths(ratios[rounds - 1]))); with the same statement for "
                + "each session in C \(hundredths(alike[rounds / 2]))"
        )
    }

    /// Runs the drill, and returns the numbers that it prints.
    static func headroom(
        _ path: String,
        _ sandbox: Sandbox,
        queryMilliseconds: Int
    ) async throws -> [String: Double] {
        var variables: [Environment.Key: String?] = ["HEADROOM_RESERVE": "0"]
        for (name, value) in sandbox.environment { variables[Environment.Key(stringLiteral: name)] = value }
        let run = try await Subprocess.run(
            .path(FilePath(path)),
            arguments: [
                "verify", "--pressure", "--seconds", "\(seconds)", "--query-time", "\(queryMilliseconds)", "--json",
            ],
            environment: .inherit.updating(variables),
            output: .string(limit: 1 << 20),
            error: .discarded
        )
        var numbers: [String: Double] = [:]
        for line in run.standardOutput.split(separator: "\n") {
            let parts = line.split(separator: ":")
            guard parts.count == 2, let value = Double(String(parts[1].filter { $0.isNumber || $0 == "." })) else {
                continue
            }
            numbers[String(parts[0].filter { $0.isLetter || $0 == "_" })] = value
        }
        return numbers
    }

    static func tenths(_ number: Double) -> Double { (number * 10).rounded() / 10 }

    static func hundredths(_ number: Double) -> Double { (number * 100).rounded() / 100 }
}
