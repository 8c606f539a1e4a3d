import Glibc
import Support

/// Measures the command as a process: how soon it answers, and what it keeps in memory.
///
/// Takes the path of the `headroom` program, and which of the two; both without.
@main
struct Command {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard let path = arguments.first, arguments.count <= 2 else { return usage() }
        let program = Program(path: path)
        switch arguments.dropFirst().first {
        case nil:
            try await Speed(program: program).run()
            try await Memory(program: program).run()
        case "speed": try await Speed(program: program).run()
        case "memory": try await Memory(program: program).run()
        default: usage()
        }
    }

    private static func usage() {
        print("usage: scripts/bench command [speed | memory]")
        exit(2)
    }
}
