import Glibc

/// Measures how Headroom grows: with the table of readings, with the sessions of a server, with the jobs of a queue.
///
/// Takes the path of the `headroom` program, and which of the three, with how many; all three in full size without.
@main
struct Scale {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        let part = arguments.dropFirst().first
        let count = arguments.dropFirst(2).first.map { Int($0) ?? 0 }
        guard let path = arguments.first, arguments.count <= 3, count ?? 1 > 0 else { return usage() }
        let program = Program(path: path)
        switch part {
        case nil:
            try await LargeTable(millions: 100).run()
            try await ManySessions(program: program, count: 10_000).run()
            try await ManyJobs(program: program, count: 1_000).run()
        case "readings": try await LargeTable(millions: count ?? 100).run()
        case "sessions": try await ManySessions(program: program, count: count ?? 10_000).run()
        case "jobs": try await ManyJobs(program: program, count: count ?? 1_000).run()
        default: usage()
        }
    }

    struct Failure: Error {
        var what: String
    }

    private static func usage() {
        print("usage: scripts/bench scale [readings [MILLIONS] | sessions [COUNT] | jobs [COUNT]]")
        exit(2)
    }
}

extension Array where Element: Comparable {
    /// The middle one of an odd number of figures.
    var median: Element { sorted()[count / 2] }
}

extension Duration {
    var seconds: Double { self / .seconds(1) }
}

/// The number with that many decimals, without a zero at the end.
func rounded(_ number: Double, _ decimals: Int = 2) -> Double {
    let factor = pow(10, Double(decimals))
    return (number * factor).rounded() / factor
}

/// Prints at once, also into a pipe: all of it takes half an hour.
func say(_ text: String) {
    print(text)
    fflush(nil)
}
