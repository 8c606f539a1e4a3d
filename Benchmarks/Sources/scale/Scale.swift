import Glibc
import Support

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

    private static func usage() {
        print("usage: scripts/bench scale [readings [MILLIONS] | sessions [COUNT] | jobs [COUNT]]")
        exit(2)
    }
}
