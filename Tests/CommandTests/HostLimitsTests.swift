import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// Where the host gives little, each program ends at once with words, or does all of its work: cron would pile up what hangs.
@Suite(.sandbox()) struct HostLimitsTests {
    private let folder = TemporaryFolder()

    /// What cron starts, and the look in an outage.
    private static let cron = [
        ["status"], ["work", "--once"], ["guard", "--once"], ["run", "--lock", "limits", "--", "/bin/echo", "done"],
    ]

    /// Every other command, so that it ends by itself.
    private static let others = [
        ["kill-idle", "--dry-run", "--idle", "300"], ["rescue"], ["slots"], ["verify", "--cycles", "3"],
        ["import", "none.csv"],
        ["jobs", "list"], ["migrate"], ["config", "show"], ["deploy", "cron"], ["doctor"], ["help"], ["--help"],
        ["nonsense"],
        ["guard", "--history"], ["serve", "--help"], ["sandbox", "stop", "--dir", "/none"],
        ["run", "--slots", "1", "--", "/bin/echo", "done"],
    ]

    /// The documented ends: docs/errors.md.
    private static let codes: Set<Int32> = [0, 1, 2, 3, 64, 71, 74, 75, 127]

    /// A user other than root, whom `ulimit -u` does not bind, and that no other process has.
    private static let user = 65_123

    /// Runs a command behind a line of shell; it is killed after 30 s, and has then hung.
    private func run(_ command: [String], behind line: String, through first: [String]) async throws
        -> HeadroomProgram.Output
    {
        var environment = try SuiteServer.sandbox.environment
        environment["HEADROOM_STATE_DIR"] = "\(folder.path)/state"
        let words = first + ["/usr/bin/timeout", "-s", "KILL", "30", "/bin/sh", "-c", line + #"; exec "$0" "$@""#]
        let run = words + [HeadroomProgram.path] + command
        return try await HeadroomProgram.run(run[0], Array(run.dropFirst()), environment: environment)
    }

    /// Runs the commands behind the lines, a few at once, each with words and a documented end.
    private func check(_ commands: [[String]], behind lines: [String], through first: [String]) async throws {
        // The user reaches server and state.
        let socket = try #require(try SuiteServer.sandbox.environment["DB_SOCKET"])
        chmod(socket.split(separator: "/").dropLast().reduce(into: "") { $0 += "/\($1)" }, 0o711)
        chmod(folder.path, 0o711)
        mkdir("\(folder.path)/state", 0o700)
        if geteuid() == 0 { chown("\(folder.path)/state", uid_t(Self.user), gid_t(Self.user)) }
        for command in commands {
            try await withThrowingTaskGroup { group in
                for line in lines {
                    group.addTask {
                        let run = try await run(command, behind: line, through: first)
                        let words = run.output + run.errors
                        #expect(Self.codes.contains(run.status), "\(command) behind \(line): \(run.status) \(words)")
                        if run.status != 0 { #expect(!words.isEmpty, "\(command) behind \(line): \(run.status)") }
                        if command.last == "done" {
                            #expect((run.status == 0) == (run.output == "done\n"), "\(line): \(run.status) \(words)")
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    private static func lines(threads: [Int], descriptors: [Int], kilobytes: [Int]) -> [[String]] {
        // One after the other where the user's processes are counted.
        threads.map { ["ulimit -u \($0)"] } + descriptors.chunks(of: 4).map { $0.map { "ulimit -n \($0)" } }
            + kilobytes.chunks(of: 4).map { $0.map { "ulimit -v \($0)" } }
    }

    @Test(
        .enabled(if: geteuid() == 0, "ulimit -u binds another user only, and only root can become one"),
        arguments: cron
    )
    func `what cron starts ends with words at every limit`(command: [String]) async throws {
        let lines = Self.lines(
            threads: Array(1...16) + [20, 30],
            descriptors: Array(3...40),
            // Below, the kernel ends a program that it cannot map, before there is anybody to say so.
            kilobytes: [30_000, 50_000, 80_000, 100_000, 150_000, 200_000, 300_000, 500_000]
        )
        for some in lines { try await check([command], behind: some, through: HeadroomProgram.asUser(Self.user)) }
    }

    @Test(.enabled(if: geteuid() == 0, "ulimit -u binds another user only, and only root can become one"))
    func `every other command does so too`() async throws {
        let lines = Self.lines(
            threads: [1, 2, 3, 5, 8],
            descriptors: [4, 8, 12, 20],
            kilobytes: [50_000, 100_000, 200_000]
        )
        for some in lines { try await check(Self.others, behind: some, through: HeadroomProgram.asUser(Self.user)) }
    }

    @Test(.enabled(if: mayUnshare, "only who may mount can take /proc away"))
    func `without /proc each says so, and none takes its arguments for none`() async throws {
        for command in Self.cron + Self.others where command.last != "/none" {
            let run = try await run(
                command,
                behind: "mount -t tmpfs none /proc",
                through: ["/usr/bin/unshare", "--mount", "--propagation", "private"]
            )
            #expect(run.status == 71, "\(command): \(run.output) \(run.errors)")
            #expect(run.errors.contains("/proc is not mounted"))
        }
    }

    private static let mayUnshare: Bool = {
        guard geteuid() == 0 else { return false }
        let text = #"unshare --mount --propagation private mount -t tmpfs none /proc 2> /dev/null"#
        return system(text) == 0
    }()

    @Test(arguments: cron + [["jobs", "list"], ["doctor"], ["guard", "--history"], ["help"]])
    func `where no file may grow, each ends with words`(command: [String]) async throws {
        for words in [["/usr/bin/env"], ["/bin/sh", "-c", #"exec "$0" "$@" > "$HEADROOM_OUT""#]] {
            var environment = try SuiteServer.sandbox.environment
            environment["HEADROOM_STATE_DIR"] = "\(folder.path)/state"
            environment["HEADROOM_OUT"] = "\(folder.path)/out"
            let line = #"ulimit -f 0; exec "$0" "$@""#
            let run = try await HeadroomProgram.run(
                "/bin/sh",
                ["-c", line] + words + [HeadroomProgram.path] + command,
                environment: environment
            )
            // A command that `run` has started dies as it would without it.
            let isOfChild = command.first == "run" && run.status == 128 + SIGXFSZ
            if isOfChild { continue }
            #expect(Self.codes.contains(run.status), "\(command): \(run.status) \(run.output)\(run.errors)")
            if run.status != 0 { #expect(!(run.output + run.errors).isEmpty, "\(command): \(run.status)") }
        }
    }

    @Test(arguments: ["<&-", ">&-", "2>&-", "<&- >&-", "<&- 2>&-", ">&- 2>&-", "<&- >&- 2>&-"])
    func `closed standard descriptors become nobody else's`(closed: String) async throws {
        for command in Self.cron {
            let run = try await run(command, behind: "exec \(closed)", through: ["/usr/bin/env"])
            // A server that is sent a line of text answers with an error, or not at all.
            #expect([0, 1, 74].contains(run.status), "\(command) \(closed): \(run.status) \(run.errors)")
            if command == ["status"], closed.contains(" >&-") || closed.hasPrefix(">&-") { #expect(run.status == 74) }
        }
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [[Element]] {
        stride(from: 0, to: count, by: size).map { Array(self[$0..<Swift.min($0 + size, count)]) }
    }
}
