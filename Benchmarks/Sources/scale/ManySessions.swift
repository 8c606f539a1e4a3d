import HeadroomSandbox
import Support

/// `headroom status` beside 10 sessions of an account and beside many, in turns.
struct ManySessions {
    private static let rounds = 7
    private static let few = 10

    let program: Program
    let count: Int

    /// A way to look, and what it took beside few sessions and beside many.
    private struct Look {
        var name: String
        var arguments: [String]
        /// Sessions that it counts beside those that are held: the administrator's own.
        var own = 0
        var variables: [String: String] = [:]
        var few: [Cost] = []
        var many: [Cost] = []
    }

    private struct Cost {
        var milliseconds: Double
        var megabytes: Double
    }

    func run() async throws {
        var options = SandboxOptions(limit: count * 2)
        options.serverLimit = count + 100
        // Each session needs a descriptor.
        options.serverArguments = ["--open-files-limit=\(count + 2_000)"]
        try await Sandbox.with(options) { sandbox in
            var looks = [
                Look(name: "status", arguments: ["status"]),
                Look(
                    name: "status --all-accounts, as the administrator",
                    arguments: ["status", "--all-accounts"],
                    own: 1,
                    variables: ["DB_USERNAME": "root", "DB_PASSWORD": ""]
                ),
            ]
            try await Held.with(Self.few, sandbox, holder: program.beside("connection-holder")) {
                for _ in 0..<Self.rounds {
                    for index in looks.indices {
                        looks[index].few.append(try await cost(looks[index], Self.few, sandbox))
                    }
                    try await Held.with(count - Self.few, sandbox, holder: program.beside("connection-holder")) {
                        for index in looks.indices {
                            looks[index].many.append(try await cost(looks[index], count, sandbox))
                        }
                    }
                    // The one that asks is there as well.
                    while try await sandbox.counter("Threads_connected") > Self.few + 1 {
                        try await Task.sleep(for: .milliseconds(100))
                    }
                }
            }
            for look in looks {
                say(
                    "  \(look.name): \(median(look.few)) beside \(Self.few) sessions, \(median(look.many)) beside \(count)"
                )
            }
        }
    }

    private func median(_ costs: [Cost]) -> String {
        "\(rounded(costs.map(\.milliseconds).median, 1)) ms and \(rounded(costs.map(\.megabytes).median, 1)) MB"
    }

    /// Runs the program for its time, and once more for the most memory it takes.
    private func cost(_ look: Look, _ sessions: Int, _ sandbox: Sandbox) async throws -> Cost {
        // The server renews INNODB_TRX ten times a second, and a look waits for a fresh one.
        try await Task.sleep(for: .milliseconds(200))
        let start = ContinuousClock.now
        let run = try await program.run(look.arguments, sandbox, look.variables)
        let time = (.now - start).seconds
        guard run.output.contains(" \(sessions + look.own) of ") else {
            throw BenchmarkFailure(
                what: "status does not count \(sessions) sessions: \(run.output.prefix(1_000))\(run.errors)"
            )
        }
        let memory = try program.memory(look.arguments, sandbox, look.variables).memory
        return Cost(milliseconds: time * 1000, megabytes: memory.most)
    }
}
