import Glibc
import Headroom
import HeadroomSandbox
import TestSupport
import Testing

/// The built program with state folders in which others have made a mess, and as root in those of other users.
@Suite(.sandbox(tcp: true)) struct StateFolderTests {
    private let folder = TemporaryFolder()

    /// The environment for a state folder, in the test's own folder unless it is named.
    private func environment(_ state: String) throws -> [String: String] {
        // By TCP: other users may not enter the server's folder.
        try SuiteServer.sandbox.environment.merging(["HEADROOM_STATE_DIR": state, "DB_SOCKET": ""]) { $1 }
    }

    /// What makes every file that a state folder ever has.
    private static let makers = [
        ["migrate"], ["status"], ["run", "--lock", "mine", "--slots", "1", "--", "true"], ["guard", "--once"],
        ["work", "--once"], ["run", "--slots", "1", "--", "true"],
    ]

    private func fill(_ state: String) async throws {
        var environment = try environment(state)
        for (index, command) in Self.makers.enumerated() {
            // With a share among hosts, the folder has a name of its own.
            environment["HEADROOM_HOSTS"] = index == 5 ? "2" : nil
            let run = try await HeadroomProgram.run(command, environment: environment)
            try #require(run.status == 0, "\(command): \(run)")
        }
        try HostNotification.post("work.localhost.app", stateFolder: state)
    }

    /// The paths of all that is in a folder, relative to it.
    private func entries(_ path: String) async throws -> [String] {
        try await HeadroomProgram.run("/usr/bin/find", [path, "-mindepth", "1", "-printf", "%P\n"]).output
            .split(separator: "\n").map(String.init).sorted()
    }

    @Test func `a folder whose files cannot be locked is refused with words by all that share, and looks go on`()
        async throws
    {
        let environment = try environment("\(folder.path)/nfs")
        func run(_ command: [String]) async throws -> HeadroomProgram.Output {
            let words = ["locks", "--", HeadroomProgram.path] + command
            return try await HeadroomProgram.run(
                HeadroomProgram.beside("call-refuser"),
                words,
                environment: environment
            )
        }
        for command in Self.makers where command != ["status"] {
            let refused = try await run(command)
            #expect(refused.status != 0, "\(command)")
            #expect(refused.errors.contains("cannot be locked"), "\(command): \(refused)")
            #expect(refused.errors.contains("HEADROOM_STATE_DIR"), "\(command): \(refused)")
        }
        for command in [["status"], ["kill-idle"], ["rescue"]] {
            #expect(try await run(command).status == 0, "\(command)")
        }
    }

    // MARK: Whatever stands in the place of a file

    @Test(arguments: Planted.allCases.map(Optional.some) + [nil])
    func `whatever stands in the place of any file, every command ends in time, with words and little memory`(
        planted: Planted?
    ) async throws {
        let real = "\(folder.path)/real"
        try await fill(real)
        let names = try await entries(real)
        #expect(names.count >= 19, "\(names)")
        let other = folder.write("mine", to: "other")
        // What opens a file answers to each kind alike, so that in a short run the worst of them stand for all.
        let isOneByOne = isFullRun || planted == nil || planted == .fifo || planted == .linkToDevice
        for name in names where isOneByOne || name.hasSuffix(planted == .folder ? "mine.lock" : "slots") {
            let state = "\(folder.path)/state"
            _ = try await HeadroomProgram.run("/bin/sh", ["-c", "rm -rf $1 && cp -a $0 $1", real, state])
            _ = try await HeadroomProgram.run("/bin/rm", ["-r", "\(state)/\(name)"])
            if let planted {
                guard planted.plant("\(state)/\(name)", beside: other) else {
                    return #expect(planted == .device, "only root may make a device")
                }
            } else {
                _ = try await HeadroomProgram.run("/usr/bin/truncate", ["-s", "1G", "\(state)/\(name)"])
            }
            let environment = try environment(state)
            try await withThrowingTaskGroup { group in
                for command in [
                    ["rescue"], ["status"], ["doctor"], ["slots"], ["config", "show"], ["guard", "--once"],
                    ["guard", "--history"], ["work", "--once"],
                    ["run", "--lock", "mine", "--slots", "1", "--", "echo", "ran"],
                ] {
                    group.addTask {
                        // 2 GB of addresses: a program of Swift has half a gigabyte before it does anything.
                        let script = #"ulimit -v 2000000 && exec timeout -s KILL 60 "$0" "$@""#
                        let run = try await HeadroomProgram.run(
                            "/bin/sh",
                            ["-c", script, HeadroomProgram.path] + command,
                            environment: environment
                        )
                        // One that hangs is enough to know.
                        try #require((0...127).contains(run.status), "\(name), \(command): \(run)")
                        // The guard says nothing when all is well.
                        let isQuiet = command == ["guard", "--once"] && run.status == 0
                        #expect(!run.output.isEmpty || !run.errors.isEmpty || isQuiet, "\(name), \(command): \(run)")
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    // MARK: Root and users

    private static let user = 54_322

    /// A home of the user's.
    private func home() -> String {
        chmod(folder.path, 0o755)
        let home = "\(folder.path)/home"
        mkdir(home, 0o700)
        chown(home, uid_t(Self.user), gid_t(Self.user))
        return home
    }

    @Test(.enabled(if: geteuid() == 0, "only root can work in another user's folder"))
    func `what root has run in a user's folder, the user can run afterwards`() async throws {
        let home = home()
        let state = "\(home)/.local/state/headroom"
        let commands =
            Self.makers + [
                ["rescue"], ["slots"], ["guard", "--history"], ["kill-idle", "--log", "\(home)/kills.log"],
            ]
        for command in commands {
            let run = try await HeadroomProgram.run(command, environment: environment(state))
            #expect(run.status == 0, "\(command): \(run)")
        }
        try HostNotification.post("work.localhost.app", stateFolder: state)
        let foreign = try await HeadroomProgram.run(
            "/usr/bin/find",
            [home, "(", "!", "-uid", "\(Self.user)", "-o", "!", "-gid", "\(Self.user)", ")", "-print"]
        )
        #expect(foreign.output == "")
        for command in commands {
            let run = try await HeadroomProgram.run(command, asUser: Self.user, environment: environment(state))
            #expect(run.status == 0, "\(command): \(run)")
        }
    }

    @Test(
        .enabled(if: geteuid() == 0, "only root can leave files in another user's folder"),
        arguments: ["", "/locks", "/locks/mine.lock", "/settings", "/settings/lock", "/accounts"]
    )
    func `a file or folder that root has left behind is named, with the chown that mends it`(left: String) async throws
    {
        let state = "\(home())/state"
        try await fill(state)
        for page in try await entries("\(state)/settings") where page != "lock" { unlink("\(state)/settings/\(page)") }
        let name = "\(state)\(left)"
        _ = try await HeadroomProgram.run("/bin/chown", ["-R", "0:0", name])
        let command = ["run", "--lock", "mine", "--slots", "1", "--", "true"]
        for user in [0, Self.user] {
            let run = try await HeadroomProgram.run(command, asUser: user, environment: environment(state))
            #expect(run.status != 0)
            #expect(run.errors.contains("\(name) belongs to user 0, in a folder of user \(Self.user)"), "\(run)")
            #expect(run.errors.contains("chown -R -h \(Self.user):\(Self.user) \(name). "), "\(run)")
        }
        _ = try await HeadroomProgram.run("/bin/chown", ["-R", "-h", "\(Self.user):\(Self.user)", name])
        let run = try await HeadroomProgram.run(command, asUser: Self.user, environment: environment(state))
        #expect(run.status == 0, "\(run)")
    }

    @Test(.enabled(if: geteuid() == 0, "only root can be led elsewhere by a user"))
    func `root is led nowhere by links in a user's folder`() async throws {
        let home = home()
        let target = "\(folder.path)/target"
        mkdir(target, 0o755)
        let secret = folder.write("mine", to: "secret")
        symlink(target, "\(home)/linked")
        symlink("\(folder.path)/made", "\(home)/kills.log")
        symlink(secret, "\(home)/history.sqlite")
        symlink("\(folder.path)/made", "\(home)/history2.sqlite")
        link(secret, "\(home)/hard.log")
        for (command, state) in [
            (["run", "--lock", "mine", "--slots", "1", "--", "true"], "\(home)/linked/state"),
            (["kill-idle", "--log", "\(home)/kills.log"], "\(home)/state"),
            (["kill-idle", "--log", "\(home)/hard.log"], "\(home)/state"),
            (["kill-idle", "--log", "\(home)/linked/kills.log"], "\(home)/state"),
        ] {
            let run = try await HeadroomProgram.run(command, environment: environment(state))
            #expect(run.status != 0, "\(command)")
            #expect(run.errors.contains("next: "), "\(run)")
        }
        for name in ["history.sqlite", "history2.sqlite", "linked/history.sqlite"] {
            let command = ["guard", "--once", "--history-file", "\(home)/\(name)"]
            _ = try await HeadroomProgram.run(command, environment: environment("\(home)/state"))
        }
        #expect(try await entries(target) == [])
        #expect(access("\(folder.path)/made", F_OK) != 0)
        #expect(try SourceFiles.text(secret) == "mine")
    }
}
