import CLibrary
import TestSupport
import Testing

@testable import Headroom

/// Programs of several versions on one account at the same time: the first release's files are read, and a later version's are
/// used as far as this one knows them.
@Suite struct TwoVersionsTests {
    private let folder = TemporaryFolder()
    private var path: String { "\(folder.path)/slots" }

    private let holder = Holder.thisProcess(program: "test", label: "a label", site: "Here.swift:1")

    private func member(budget: Int) throws -> Admission {
        try Admission(folder: folder.path, policy: .init(budget: budget, reserve: 0), program: "test")
    }

    private func report() throws -> SlotReport {
        try SlotReport(
            folder: folder.path,
            settings: DatabaseSettings(endpoint: .socket(path: "/nowhere"), username: "app")
        )
    }

    /// Makes the file, or changes it, as another program would.
    private func put(_ bytes: [UInt8], at offset: Int) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o660)
        defer { close(descriptor) }
        try #require(pwrite(descriptor, bytes, bytes.count, off_t(offset)) == bytes.count)
    }

    private func bytes(at offset: Int, _ count: Int) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(descriptor) }
        return [UInt8](unsafeUninitializedCapacity: count) {
            $1 = max(0, pread(descriptor, $0.baseAddress, count, off_t(offset)))
        }
    }

    private static let magic = [UInt8]("HADROOM1".utf8)

    /// A note that a later version has written: of what it says nothing is known.
    private static let laterNote = [1, 1, 9, 0] + [UInt8](repeating: 0x41, count: 252)

    // The numbers are written out: they stand in programs that run already.
    @Test func `the lock bytes, the table and the notes of the first release are where they always were`() throws {
        let places: [(LockByte, Int64)] = [
            (.slot(0), 16_777_216), (.slot(511), 16_777_727), (.member(0), 33_554_432), (.member(511), 33_554_943),
            (.prober, 67_108_864), (.reserve, 67_108_865), (.head, 67_108_866), (.gather, 67_108_867),
            (.share, 67_108_868),
        ]
        for (place, byte) in places { #expect(place.byte == byte, "\(place)") }
        #expect(HostLock.byte == 16_777_216)
        let file = try SlotFile(path: path)
        file.writeMark(511, held: true)
        file.writeHolder(511, holder)
        file.writeMemberHolder(511, holder)
        var table = SlotTable()
        table[member: 511] = SlotTable.Member(ticket: 0x0102_0304_0506_0708)
        file.writeMember(511, table)
        #expect(bytes(at: 0, 8) == Self.magic)
        #expect(bytes(at: 575, 1) == [1])
        #expect(bytes(at: 576 + 511 * 32, 8) == [8, 7, 6, 5, 4, 3, 2, 1])
        #expect(bytes(at: 20_480 + 511 * 256 + 40, 5) == [4] + "test".utf8)
        #expect(bytes(at: 151_552 + 511 * 256 + 40, 5) == [4] + "test".utf8)
        #expect(
            bytes(at: 16_960, 28) == [
                1, 0, 0, 0, 28, 0, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 80, 0, 0, 0, 80, 2, 0, 0, 1, 0, 0,
            ]
        )
    }

    @Test func `a file of the first release is used as it is, with whom its notes name`() async throws {
        try put(Self.magic, at: 0)
        let old = try SlotFile(path: path)
        #expect(old.tryLock(.slot(0)))
        try put([1], at: 64)
        // Its byte for the version is 0.
        var note = holder.withBytes { Array($0) }
        note[2] = 0
        try put(note, at: 20_480)
        let new = try member(budget: 2)
        #expect(new.holders.first?.holder == holder)
        let slot = try #require(new.admitAtOnce(holder))
        #expect(slot.index == 1)
        #expect(new.admitAtOnce(holder) == nil)
        #expect(!old.tryLock(.slot(1)) && old.isMarkedHeld(1))
        // It would not know what says where notes are.
        #expect(bytes(at: 16_960, 28).allSatisfy { $0 == 0 })
    }

    @Test func `a slot of a later version counts, and by whom it is held is not known`() async throws {
        let later = try SlotFile(path: path)
        #expect(later.tryLock(.slot(0)))
        try put([7], at: 64)
        try put(Self.laterNote, at: 20_480)
        let own = try member(budget: 1)
        #expect(own.admitAtOnce(holder) == nil)
        let held = try #require(try report().held.first?.holder)
        #expect(held.state == .unknown && held.program == "another version of Headroom" && held.words() == held.program)
        #expect(
            held.label.isEmpty && held.site.isEmpty && held.sessionID == 0 && held.processID == 0 && held.age == .zero
        )
        #expect(own.holdersInWords == "another version of Headroom holds 1")
        #expect(bytes(at: 20_480, 256) == Self.laterNote)
        // When it has died its slot is taken, and no session is ended because of what its note might mean.
        later.unlock(.slot(0))
        guard case .slot(let slot) = try await own.admit(holder, limits: Limits()) else { return }
        #expect(slot.predecessor?.state == .unknown && slot.predecessor?.sessionID == 0)
    }

    @Test func `what goes on in a slot may be something that is not known yet`() {
        var note = holder.withBytes { Array($0) }
        note[0] = 77
        let read = note.withUnsafeBytes { Holder(bytes: $0) }
        #expect(read.state == .unknown && read.processID == getpid() && read.label == "a label")
    }

    @Test func `a later version's file with more slots and longer notes is used as far as it is known`() async throws {
        // 1,024 slots and members, notes of 512 bytes from 32,768 and from 1,048,576 on, and more that is said behind it.
        let layout: [UInt32] = [2, 64, 1_024, 1_024, 32_768, 1_048_576, 512, 0xDEAD_BEEF]
        let said = layout.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
        try put(Self.magic + [0, 4, 0, 0], at: 0)
        try put(said, at: 16_960)
        try put([UInt8](repeating: 0x5A, count: 512), at: 32_768 + 512)
        let own = try member(budget: 2)
        let first = try #require(own.admitAtOnce(holder))
        #expect(bytes(at: 32_768 + 40, 5) == [4] + "test".utf8)
        #expect(bytes(at: 1_048_576 + 40, 5) == [4] + "test".utf8)
        #expect(bytes(at: 32_768 + 512, 512).allSatisfy { $0 == 0x5A })
        #expect(try report().held.map(\.holder.label) == ["a label"])
        // 1,024 members were ever there, and no write of the head forgets them.
        own.changeHead { $0.limit = 3 }
        #expect(bytes(at: 8, 8) == [0, 4, 0, 0, 3, 0, 0, 0])
        #expect(bytes(at: 16_960, said.count) == said)
        let second = try #require(try member(budget: 2).admitAtOnce(holder))
        #expect(second.index == 1 && own.admitAtOnce(holder) == nil)
        first.release()
    }

    @Test func `a layout that cannot be moves no note`() {
        let usual = SlotLayout()
        let broken: [[UInt32]] = [
            [0, 28, 512, 512, 40_960, 303_104, 256], [1, 27, 512, 512, 40_960, 303_104, 256],
            [1, 28, 511, 512, 40_960, 303_104, 256],
            [1, 28, 512, 2, 40_960, 303_104, 256], [1, 28, 512, 512, 576, 303_104, 256],
            [1, 28, 512, 512, 40_960, .max, 256],
            [1, 28, 512, 512, 40_960, 303_104, 255], [1, 28, 512, 512, 40_960, 303_104, .max],
        ]
        for values in broken {
            let bytes = values.flatMap { withUnsafeBytes(of: $0.littleEndian, Array.init) }
            #expect(bytes.withUnsafeBytes { SlotLayout(bytes: $0) } == usual, "\(values)")
        }
        #expect(usual.bytes.withUnsafeBytes { SlotLayout(bytes: $0) } == usual)
    }

    @Test func `what a later version said of a member is not said of the next one in its place`() {
        var table = SlotTable()
        let at = SlotTable.membersAt + SlotTable.memberSize
        for index in 20..<32 { table.bytes[at + index] = 0xFF }
        table[member: 1] = SlotTable.Member(isPresent: true)
        #expect(Array(table.bytes[at + 20..<at + 32]) == [0, 1] + [UInt8](repeating: 0, count: 10))
    }

    @Test func `what is no file of slots is put aside once nobody has it locked, and shown as numbers to nobody`()
        throws
    {
        try put([UInt8]("SQLite format 3".utf8), at: 0)
        #expect(throws: DatabaseError.self) { try report() }
        let user = open(path, O_RDWR | O_CLOEXEC)
        try #require(kernel_try_lock_byte(user, LockByte.slot(3).byte) == 0)
        let error = #expect(throws: DatabaseError.self) { try SlotFile(path: path) }
        #expect(error?.code == .stateFolderUnusable)
        #expect(error?.message.contains("is not a file of slots") == true)
        #expect(bytes(at: 0, 15) == Array("SQLite format 3".utf8))
        close(user)
        let file = try SlotFile(path: path)
        #expect(file.tryLock(.slot(0)) && bytes(at: 0, 8) == Array("HADROOM1".utf8))
        #expect(try SettingsFile.read("\(path).broken") == "SQLite format 3")
        // Numbers that no server has count as none.
        var table = SlotTable()
        for index in 12..<36 { table.bytes[index] = 0xE5 }
        #expect(table.limit == nil && table.foreignSessions == 0)
    }

    @Test func `slots that are held in a file that was removed stay held`() throws {
        var first: SlotFile? = try SlotFile(path: path)
        #expect(first?.tryLock(.slot(0)) == true)
        unlink(path)
        var second: SlotFile? = try SlotFile(path: path)
        #expect(second?.tryLock(.slot(0)) == false && second?.tryLock(.slot(1)) == true)
        // Also for who comes once the first has gone.
        first = nil
        #expect(try SlotFile(path: path).tryLock(.slot(1)) == false)
        #expect(try SlotFile(path: path).tryLock(.slot(0)))
        second = nil
        let last = try SlotFile(path: path)
        #expect(last.tryLock(.slot(0)) && last.tryLock(.slot(1)))
        #expect(bytes(at: 0, 8) == Array("HADROOM1".utf8))
    }

    @Test func `what a later version says of its host in the account's row is kept by an earlier one`() throws {
        let row = "deadbeef\t3\t2\t5\t1764000000000000\t1763999000000000\t9\t2\t-3\tweb 1\tblue\t\t17"
        var book = try #require(ShareTable(text: row))
        #expect(book.entries[0].name == "web 1")
        var request = ShareTable.Request(host: "cafe", inUse: 0, wanted: 1, budget: 9, hosts: 2)
        _ = book.exchange(request, at: 1_763_999_500_000_000, ShareTiming())
        #expect(book.text.hasPrefix(row + "\n"))
        // Not of a host on which the earlier one runs now.
        request.host = "deadbeef"
        _ = book.exchange(request, at: 1_763_999_500_000_001, ShareTiming())
        #expect(!book.text.contains("blue"))
    }
}
