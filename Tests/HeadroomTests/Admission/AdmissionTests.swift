import Glibc
import TestSupport
import Testing

@testable import Headroom

/// Slots on real files, without a server: each `Admission` here is to the kernel what a process is.
@Suite struct AdmissionTests {
    private let folder = AccountFolder()

    private func member(budget: Int = 2) throws -> Admission {
        try Admission(folder: folder.path, policy: .init(budget: budget, reserve: 0), program: "test")
    }

    private let holder = Holder.thisProcess(program: "test", label: "a label", site: "Here.swift:1")

    @Test func `a member waits until another gives a slot back`() async throws {
        let (one, two) = (try member(budget: 1), try member(budget: 1))
        let held = try await one.slot(holder)
        #expect(two.admitAtOnce(holder) == nil)
        let waiting = Task { try await two.slot(holder) }
        #expect(try await eventually { two.waiting == 1 })
        held.release()
        let slot = try await waiting.value
        #expect(one.admitAtOnce(holder) == nil)
        slot.release()
    }

    @Test func `tasks of many members are served in the order of their coming`() async throws {
        let members = try (0..<5).map { _ in try member(budget: 1) }
        let held = try await members[0].slot(holder)
        let served = Shared<[Int]>([])
        var tasks: [Task<Void, any Error>] = []
        for number in 0..<20 {
            let member = members[(number * 3) % 5]
            let before = members.reduce(0) { $0 + $1.waiting }
            tasks.append(
                Task {
                    let slot = try await member.slot(holder)
                    served.change { $0.append(number) }
                    // Longer than the tolerance, so that the order is exact.
                    try await Task.sleep(for: .milliseconds(1))
                    slot.release()
                }
            )
            #expect(try await eventually { members.reduce(0) { $0 + $1.waiting } == before + 1 })
            // Further apart than the tolerance within which a process may serve its own.
            try await Task.sleep(for: .milliseconds(6))
        }
        held.release()
        for task in tasks { try await task.value }
        #expect(served.value == Array(0..<20))
    }

    @Test func `a wait ends at its deadline, and the next in line is served`() async throws {
        let (one, two) = (try member(budget: 1), try member(budget: 1))
        let held = try await one.slot(holder)
        await #expect(throws: Interruption.deadlinePassed) {
            try await two.slot(holder, Limits(deadline: .now + .milliseconds(20)))
        }
        let next = Task { try await two.slot(holder) }
        #expect(try await eventually { two.waiting == 1 })
        held.release()
        try await next.value.release()
    }

    /// Who waits rings only those who keep something at that moment, so a new keeper must look by itself.
    @Test func `whoever begins to keep idle connections knows of those who wait already`() async throws {
        let (one, two) = (try member(budget: 1), try member(budget: 1))
        let held = try await one.slot(holder)
        let waiting = Task { try await two.slot(holder) }
        #expect(try await eventually { two.waiting == 1 })
        let wasWanted = Shared(false)
        one.whenWanted { wasWanted.change { $0 = one.mayBeWanted } }
        #expect(wasWanted.value)
        held.release()
        try await waiting.value.release()
    }

    /// A cancellation that lands between the start of a wait and its registration must find it: with the only slot held,
    /// no task that was cancelled may wait on.
    @Test func `no cancellation is missed, however early it comes`() async throws {
        let member = try member(budget: 1)
        let held = try await member.slot(holder)
        let rounds = isFullRun ? 150_000 : 10_000
        var cancelled = 0
        for round in 0..<rounds {
            let task = Task { try await member.slot(holder) }
            // At a different moment of its start each time.
            for _ in 0..<(round % 40) { sched_yield() }
            task.cancel()
            do { try await task.value.release() } catch Interruption.cancelled { cancelled += 1 }
        }
        #expect(cancelled == rounds)
        #expect(member.waiting == 0)
        held.release()
        #expect(member.admitAtOnce(holder) != nil)
    }

    /// A slot that is granted in the moment of a cancellation goes on to the next: none is lost, none is had twice.
    @Test func `slots survive waiters that give up as they are served`() async throws {
        let members = try (0..<3).map { _ in try member(budget: 2) }
        let most = Shared((now: 0, most: 0))
        await withTaskGroup { group in
            for number in 0..<24 {
                group.addTask {
                    for round in 0..<(isFullRun ? 3_000 : 300) {
                        let task = Task {
                            let slot = try await members[number % 3].slot(holder)
                            most.change { count in
                                count.now += 1
                                count.most = max(count.most, count.now)
                            }
                            if round % 3 == 0 { await Task.yield() }
                            most.change { $0.now -= 1 }
                            slot.release()
                        }
                        if round % 2 == number % 2 {
                            for _ in 0..<(round % 50) { await Task.yield() }
                            task.cancel()
                        }
                        _ = try? await task.value
                    }
                }
            }
        }
        #expect(most.value.most == 2)
        #expect(members.allSatisfy { $0.waiting == 0 && $0.ownSlots.isEmpty })
        let both = [members[0].admitAtOnce(holder), members[1].admitAtOnce(holder)]
        #expect(both.allSatisfy { $0 != nil })
        #expect(members[2].admitAtOnce(holder) == nil)
    }

    @Test func `the slots of a process that is killed come back, with whom they belonged to`() async throws {
        let one = try member(budget: 1)
        // Another process, as only a process can be killed: it holds the slot's byte as a member would.
        let process = try HolderProcess(file: one.file.path, byte: LockByte.slot(0).byte)
        one.file.writeMark(0, held: true)
        var dead = holder
        dead.label = "the dead one"
        dead.sessionID = 77
        one.file.writeHolder(0, dead)
        let waiting = Task { try await one.slot(holder) }
        #expect(try await eventually { one.waiting == 1 })
        process.kill()
        let slot = try await waiting.value
        #expect(slot.predecessor?.label == "the dead one")
        #expect(slot.predecessor?.sessionID == 77)
    }

    @Test func `a slot says who holds it`() async throws {
        let member = try member()
        let unused = try await member.slot(holder)
        let slot = try #require(unused.use(DrainingSessions(Recorder(name: "tests"))))
        slot.note(session: 42, serverStartedAt: 1_000, socket: nil)
        let report = try SlotReport(folder: folder.path, settings: settings)
        let held = try #require(report.held.first?.holder)
        #expect(held.processID == getpid())
        #expect(held.processStart == Holder.start(of: getpid()))
        #expect(held.program == "test")
        #expect(held.label == "a label")
        #expect(held.site == "Here.swift:1")
        #expect(held.sessionID == 42)
        #expect(held.state == .open)
        if let end = SessionEnd(refusedWith: 1045) { slot.release(end) }
        #expect(try SlotReport(folder: folder.path, settings: settings).held.isEmpty)
    }

    @Test func `texts that are too long, and records that are garbage, do no harm`() {
        var long = holder
        long.label = String(repeating: "ä", count: 100)
        let read = long.withBytes { Holder(bytes: UnsafeRawBufferPointer($0)) }
        #expect(read.label.hasPrefix(String(repeating: "ä", count: 39)))
        let garbage = [UInt8](repeating: 0xFF, count: Holder.size)
        let holder = garbage.withUnsafeBytes { Holder(bytes: $0) }
        #expect(holder.state == .unknown)
    }

    @Test func `the smallest of several budgets holds`() async throws {
        let (large, small) = (try member(budget: 5), try member(budget: 1))
        let slot = try await large.slot(holder)
        #expect(large.admitAtOnce(holder) == nil)
        #expect(large.budget.slots == 1)
        #expect(large.budget.isAnothers)
        #expect(!small.budget.isAnothers)
        slot.release()
    }

    @Test func `files are for the folder's group, whatever the umask`() throws {
        let member = try member()
        var information = stat()
        #expect(stat(member.file.path, &information) == 0)
        #expect(information.st_mode & 0o777 == 0o660)
    }

    @Test func `a folder that cannot be used is a clear error`() {
        let error = #expect(throws: DatabaseError.self) {
            try Admission(folder: "/proc/nowhere", policy: .init(budget: 1, reserve: 0), program: "test")
        }
        #expect(error?.code == .stateFolderUnusable)
        #expect(error?.advice.contains("HEADROOM_STATE_DIR") == true)
    }

    private var settings: DatabaseSettings { DatabaseSettings(endpoint: .socket(path: "/nowhere"), username: "nobody") }
}

extension Admission {
    /// Waits for a slot; nobody here keeps connections.
    fileprivate func slot(_ holder: Holder, _ limits: Limits = Limits()) async throws(Interruption) -> UnusedSlot {
        guard case .slot(let slot) = try await admit(holder, limits: limits) else {
            preconditionFailure("Nobody keeps a connection here.")
        }
        return slot
    }
}

/// A value that several tasks of a test change.
private final class Shared<Value: Sendable>: Sendable {
    private let guarded: Locked<Value>

    init(_ value: Value) { guarded = Locked(value) }

    var value: Value { guarded.withLock(\.self) }

    func change(_ body: (inout Value) -> Void) { guarded.withLock { body(&$0) } }
}

/// A folder for one test's account, removed with it.
private final class AccountFolder: Sendable {
    private let folder = TemporaryFolder()

    var path: String { folder.path }

    deinit {
        // The folder itself is removed with what is left in it.
        for file in (try? SettingsFile.list("\(path)/wake", ending: "")) ?? [] { unlink(file) }
        rmdir("\(path)/wake")
    }
}

/// Another process that holds a lock on a byte of a file, until it is killed.
private final class HolderProcess {
    private let process: pid_t

    init(file: String, byte: Int64) throws {
        // Perl, which every Debian has: it can lock a byte of an open file as Headroom does (37 is F_OFD_SETLK).
        let script = """
            use Fcntl; open(my $f, '+<', $ARGV[0]) or die;
            fcntl($f, 37, pack('ssx4qqlx4', F_WRLCK, 0, $ARGV[1], 1, 0)) or die;
            syswrite(STDOUT, 'x'); sysread(STDIN, my $rest, 1);
            """
        var output: [Int32] = [0, 0]
        var input: [Int32] = [0, 0]
        try #require(pipe(&output) == 0 && pipe(&input) == 0)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input[0], 0)
        posix_spawn_file_actions_adddup2(&actions, output[1], 1)
        var process = pid_t()
        let words: [String] = ["perl", "-e", script, file, "\(byte)"]
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawnp(&process, "perl", &actions, nil, arguments, environ) == 0)
        self.process = process
        close(output[1])
        close(input[0])
        var byte: UInt8 = 0
        try #require(read(output[0], &byte, 1) == 1, "The other process has no lock.")
    }

    func kill() {
        Glibc.kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }
}

/// The lock under which a host's first login is made.
@Suite struct OpenLockTests {
    @Test func `a lock that another has is refused until that lets go of it`() throws {
        let folder = TemporaryFolder()
        let path = folder.write("", to: "lock")
        var held = try FileLock(path: path)
        #expect(held != nil)
        #expect(try FileLock(path: path) == nil)
        held = nil
        #expect(try FileLock(path: path) != nil)
    }
}
