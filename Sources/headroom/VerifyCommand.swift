import ArgumentParser
import Headroom
import HeadroomWatch

/// `headroom verify`: proves the promises on the user's own server.
struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Proves on your own server that a closed connection is gone.",
        discussion: """
            Opens a connection, runs a query and closes it, again and again, and counts how often the server refuses the \
            next one. It uses one connection at a time, beside those of --hold. Each cycle is a login: on an account with an hourly limit no more \
            than half of it is used.

            Examples:
              headroom verify
              headroom verify --cycles 2000 --json
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Option(help: "How many times to open, query and close.")
    var cycles = 200

    @Option(help: "How many further connections to hold open meanwhile, so that fewer are left.")
    var hold = 0

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        guard cycles >= 1 else { throw ValidationError("--cycles must be at least 1.") }
        guard hold >= 0 else { throw ValidationError("--hold must be at least 0.") }
    }

    func run() async throws {
        try await runCommand {
            let settings = try connection.settings(program: "headroom verify")
            let options = try await AccountWatch(settings).options()
            if let most = CycleDrill.mostCycles(under: options), cycles > most {
                throw DatabaseError(
                    .hourlyLimitReached,
                    message: "\(grouped(cycles)) cycles could use up the account's hourly limit and lock it out.",
                    advice: "Run at most half of the limit: --cycles \(most)."
                )
            }
            var bar = ProgressBar()
            let result = try await CycleDrill(settings, cycles: cycles, held: hold)
                .run { done in
                    if cycles >= 1_000, done % 50 == 0 || done == cycles {
                        bar.show(Double(done) / Double(cycles), "\(grouped(done)) cycles")
                    }
                }
            bar.finish()
            if json {
                try Console.json(CyclesJSON(result))
            } else {
                Console.print(
                    "\(result.refused == 0 ? "PASS" : "FAIL")  \(grouped(result.cycles)) open-query-close cycles, "
                        + "\(grouped(result.refused)) refused; median \(Int(result.median.seconds * 1e6)) us, "
                        + "99 % within \(Int(result.p99.seconds * 1e6)) us"
                )
                if let refusal = result.lastRefusal {
                    Console.error("headroom: \(refusal.message)")
                    Console.error(
                        "  next: other programs use the account too, or something does not let go: headroom status"
                    )
                }
            }
            if result.refused > 0 { throw ExitCode(1) }
        }
    }
}

/// What the cycles found, as JSON.
struct CyclesJSON: Encodable {
    var cycles: Int
    var refused: Int
    var medianMicroseconds: Double
    var p99Microseconds: Double

    init(_ result: CycleDrill.Result) {
        cycles = result.cycles
        refused = result.refused
        medianMicroseconds = (result.median.seconds * 1e7).rounded() / 10
        p99Microseconds = (result.p99.seconds * 1e7).rounded() / 10
    }
}
