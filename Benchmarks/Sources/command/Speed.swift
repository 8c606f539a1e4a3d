import Glibc
import HeadroomSandbox
import Support

/// How soon the command answers, in turns with others that do the same.
///
/// The yardstick of `status` is the `mariadb` client that lists the sessions, the least that a look can cost. Where `pt-kill`
/// is installed (Debian's `percona-toolkit`), it ends its first idle session in turns with `kill-idle`.
struct Speed {
    private static let looks = 201
    private static let kills = 21
    /// Sessions of the account, of which one is ended.
    private static let sessions = 5

    let program: Program

    func run() async throws {
        try await Sandbox.with(SandboxOptions(limit: 10)) { sandbox in
            try compareLooks(sandbox)
            try compareKills(sandbox)
        }
    }

    private func compareLooks(_ sandbox: Sandbox) throws {
        let client = Program(path: "mariadb")
        let list = login(sandbox) + ["--batch", "--execute", "SHOW FULL PROCESSLIST"]
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<Self.looks {
            ours.append(try program.time(["status"], sandbox))
            theirs.append(try client.time(list, sandbox))
        }
        say(
            "  status, whole process: \(words(ours)); mariadb, SHOW FULL PROCESSLIST: \(words(theirs)); "
                + "\(rounded(ours.median / theirs.median)) times as long"
        )
    }

    private func compareKills(_ sandbox: Sandbox) throws {
        let others = Program(path: "pt-kill")
        let isThere = access("/usr/bin/pt-kill", X_OK) == 0
        let kill =
            login(sandbox) + [
                "--match-command", "Sleep", "--idle-time", "1", "--victims", "oldest", "--kill", "--interval", "1",
                "--run-time", "1",
            ]
        var (ours, theirs): ([Double], [Double]) = ([], [])
        for _ in 0..<Self.kills {
            ours.append(
                try program.firstKill(
                    ["kill-idle", "--max-idle", "1", "--keep", "\(Self.sessions - 1)"],
                    among: Self.sessions,
                    sandbox
                )
            )
            if isThere { theirs.append(try others.firstKill(kill, among: Self.sessions, sandbox)) }
        }
        say(
            "  first kill after the start: \(words(ours)); pt-kill: "
                + (isThere
                    ? "\(words(theirs)); \(rounded(ours.median / theirs.median)) times as long" : "not installed")
        )
    }

    private func login(_ sandbox: Sandbox) -> [String] {
        let options = sandbox.options
        return ["--socket", sandbox.socket, "--user", options.username, "--password=\(options.password)"]
    }

    private func words(_ times: [Double]) -> String {
        "\(rounded(times.median, 1)) ms (the quickest tenth \(rounded(times.sorted()[times.count / 10], 1)))"
    }
}
