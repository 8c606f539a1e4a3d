import Glibc
import HeadroomWatch
import TestSupport
import Testing

@testable import HeadroomHistory

/// The guard's history as a file.
struct GuardHistoryTests {
    private func round(_ time: Double, events: [GuardEvent] = []) -> GuardRound {
        var sample = GuardSample(time: time, level: .caution)
        sample.limit = 10
        sample.used = 7
        return GuardRound(sample: sample, events: events, memory: GuardMemory())
    }

    @Test func `what was added is read again, by another process's eyes too`() async throws {
        let folder = TemporaryFolder()
        let history = try GuardHistory("\(folder.path)/history.sqlite")
        let event = GuardEvent(
            time: 5,
            kind: .level,
            change: .raised,
            level: .caution,
            message: "It's \"7\" of 10",
            advice: "do"
        )
        var gap = round(5, events: [event])
        gap.sample.gap = 300
        gap.sample.error = "server_unreachable"
        gap.sample.serverCode = 2002
        try await history.add(round(1))
        try await history.add(gap)
        let reader = try GuardHistory(reading: "\(folder.path)/history.sqlite")
        let samples = try await reader.samples(since: 0)
        #expect(samples == [round(1).sample, gap.sample])
        #expect(try await reader.samples(since: 2).count == 1)
        #expect(try await reader.events(since: 0) == [event])
        #expect(try await reader.memory() == GuardMemory())
    }

    @Test func `what is older than the days kept is pruned`() async throws {
        let folder = TemporaryFolder()
        let history = try GuardHistory("\(folder.path)/history.sqlite", days: 2)
        let day = 86_400.0
        for time in [1, day, 3 * day, 4 * day] {
            let event = GuardEvent(
                time: time,
                kind: .level,
                change: .raised,
                level: .caution,
                message: "m",
                advice: "a"
            )
            try await history.add(round(time, events: [event]))
        }
        try await history.prune(at: 4 * day)
        let times = try await history.samples(since: 0).map(\.time)
        #expect(times == [3 * day, 4 * day])
        #expect(try await history.events(since: 0).map(\.time).sorted() == times)
    }

    @Test func `a file that is none is an error, not a crash`() throws {
        #expect(throws: (any Error).self) { try GuardHistory("/dev/null/history.sqlite") }
        #expect(throws: (any Error).self) { try GuardHistory(reading: "/nowhere/history.sqlite") }
    }

    @Test(arguments: Planted.allCases, ["", "-wal", "-journal", "-shm"])
    func `whatever stands in the place of the file or of those beside it is not opened, and nobody waits`(
        planted: Planted,
        beside: String
    ) async throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/history.sqlite"
        if !beside.isEmpty { try await GuardHistory(path).add(round(1)) }
        let other = folder.write("mine", to: "other")
        unlink(path + beside)
        guard planted.plant(path + beside, beside: other) else { return #expect(planted == .device) }
        #expect(throws: HistoryFile.Refused.self) { try GuardHistory(path) }
        #expect(throws: HistoryFile.Refused.self) { try GuardHistory(reading: path) }
        #expect(try SourceFiles.text(other) == "mine")
        #expect(access("\(other).none", F_OK) != 0)
    }

    @Test func `a second look at a history takes no lock from the first`() throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/history.sqlite"
        let history = try GuardHistory(path)
        /// The locks of this process on files of the folder, as the kernel has them.
        func locks() throws -> Int {
            var facts = stat()
            var count = 0
            for beside in ["", "-wal", "-shm"] where stat(path + beside, &facts) == 0 {
                count += try SourceFiles.text("/proc/locks").split(separator: "\n")
                    .count { $0.contains("POSIX") && $0.contains(" \(getpid()) ") && $0.contains(":\(facts.st_ino) ") }
            }
            return count
        }
        let before = try locks()
        #expect(before > 0)
        try HistoryFile.prepare(path, isToWrite: true)
        try HistoryFile.prepare(path, isToWrite: false)
        #expect(try locks() == before)
        withExtendedLifetime(history) {}
    }

    @Test func `SQLite itself opens no link, also one that comes after every look`() throws {
        let folder = TemporaryFolder()
        let path = "\(folder.path)/history.sqlite"
        // Its functions are there from now on.
        _ = try GuardHistory("\(folder.path)/first.sqlite")
        symlink("\(folder.path)/made", path)
        symlink("\(folder.path)/first.sqlite", "\(folder.path)/second.sqlite")
        for name in ["history", "second"] {
            #expect(throws: (any Error).self) {
                try SQLiteFile("\(folder.path)/\(name).sqlite", isToWrite: true).run("CREATE TABLE t (x)")
            }
        }
        #expect(access("\(folder.path)/made", F_OK) != 0)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can make another user's files"))
    func `a history that root makes in another user's folder is that user's, with the files beside it`() async throws {
        let folder = TemporaryFolder()
        #expect(chown(folder.path, 54_321, 54_321) == 0)
        let history = try GuardHistory("\(folder.path)/history.sqlite")
        try await history.add(round(1))
        for beside in ["", "-wal", "-shm"] {
            var facts = stat()
            #expect(stat("\(folder.path)/history.sqlite\(beside)", &facts) == 0)
            #expect(facts.st_uid == 54_321 && facts.st_gid == 54_321, "\(beside)")
        }
        withExtendedLifetime(history) {}
    }
}
