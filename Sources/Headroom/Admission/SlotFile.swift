import CLibrary

/// The file in which the processes of this host keep the slots of one account.
///
/// Its bytes say who holds what, for people and as a hint; what counts is the kernel's locks. A slot, a member and the
/// prober's place each have a byte in it, and the process that has the lock on that byte holds it. The locks belong to the open
/// file, so that the kernel drops them when its process ends, also by kill -9. The file is never removed: another process
/// would go on with the old one. Nothing here waits.
final class SlotFile: SlotStore, Sendable {
    /// The file's path.
    let path: String

    private let descriptor: Int32

    /// Where the notes stand, of who holds what.
    private let layout: SlotLayout

    /// Opens the file; makes it first when there is none.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(path: String) throws {
        self.path = path
        descriptor = try Self.opening(path)
        // The head's lock: two that make the file may be of two versions.
        let isOurs = Self.lockHead(descriptor)
        defer { if isOurs { _ = kernel_unlock_byte(descriptor, LockByte.head.byte) } }
        var magic: UInt64 = 0
        _ = pread(descriptor, &magic, 8, 0)
        let isNew = isOurs && magic == 0
        layout = isNew ? SlotLayout() : Self.layout(descriptor)
        // With its room on the disk: no later write can meet a full one.
        var information = stat()
        if fstat(descriptor, &information) == 0, information.st_size < layout.fileSize {
            let result = Machine.makeRoom(descriptor, layout.fileSize)
            guard result == 0 else { throw StateFolder.unusable(path, .system(result), "to be made") }
        }
        if isNew {
            write(layout.bytes, at: SlotLayout.offset)
            // Last: a process that finds it finds the layout too.
            write(SlotTable().bytes.prefix(8), at: 0)
        }
    }

    /// Opens the file that holds the slots; one that is none of slots, and that nobody has locked, is put aside first.
    private static func opening(_ path: String) throws -> Int32 {
        for _ in 0..<8 {
            let descriptor = try StateFolder.openLockable(path)
            let magic = magic(descriptor)
            if magic == 0 || magic == SlotTable.magic { return descriptor }
            defer { close(descriptor) }
            // Who has the lock on its head puts it aside; the others find another one there then.
            guard lockHead(descriptor), !isAnyLocked(descriptor) else { break }
            do throws(RegularFile.Problem) {
                let (parent, name) = RegularFile.parts(path)
                let folder = try OpenFolder(parent)
                var facts = stat()
                guard fstat(descriptor, &facts) == 0, folder.entry(name)?.st_ino == facts.st_ino else { continue }
                try folder.rename(name, to: "\(name).broken")
            } catch {
                throw StateFolder.unusable(path, error, "to be put aside, as it is no file of slots")
            }
        }
        throw noSlots(path)
    }

    private static func magic(_ descriptor: Int32) -> UInt64 {
        var magic: UInt64 = 0
        _ = pread(descriptor, &magic, 8, 0)
        return UInt64(littleEndian: magic)
    }

    /// Whether another open file has a lock, but for the head's.
    private static func isAnyLocked(_ descriptor: Int32) -> Bool {
        let places: [LockByte] =
            [.prober, .reserve, .gather, .share] + (0..<SlotTable.slotCount).map { .slot($0) }
            + (0..<SlotTable.memberCount).map { .member($0) }
        return places.contains { kernel_is_byte_locked(descriptor, $0.byte) == 1 }
    }

    private static func noSlots(_ path: String) -> DatabaseError {
        DatabaseError(
            .stateFolderUnusable,
            message: "\(path) is not a file of slots: something else has written to it.",
            advice:
                "With the account's programs ended it is put aside by the next one; or name another folder with HEADROOM_STATE_DIR."
        )
    }

    /// Opens a file that is there already, only to look.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(reading path: String) throws {
        self.path = path
        let opened: Int32
        do throws(RegularFile.Problem) {
            opened = try RegularFile.open(path, O_RDONLY)
        } catch {
            throw StateFolder.unusable(path, error, "to be opened")
        }
        let magic = Self.magic(opened)
        guard magic == 0 || magic == SlotTable.magic else {
            close(opened)
            throw Self.noSlots(path)
        }
        if magic == 0, let held = Machine.openRemoved(before: opened) {
            close(opened)
            descriptor = held
        } else {
            descriptor = opened
        }
        layout = Self.layout(descriptor)
    }

    /// Reads where the notes are.
    private static func layout(_ descriptor: Int32) -> SlotLayout {
        withUnsafeTemporaryAllocation(byteCount: SlotLayout().size, alignment: 8) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            _ = pread(descriptor, buffer.baseAddress, buffer.count, off_t(SlotLayout.offset))
            return SlotLayout(bytes: UnsafeRawBufferPointer(buffer))
        }
    }

    deinit {
        close(descriptor)
    }

    var hostMoment: HostMoment { .now }

    /// The descriptor that holds the locks: a child that has it too keeps them when this process is killed.
    var inheritable: Int32 { descriptor }

    /// Takes a place, unless another open file has it; one's own is taken again without a word.
    func tryLock(_ place: LockByte) -> Bool {
        kernel_try_lock_byte(descriptor, place.byte) == 0
    }

    /// Gives a place back.
    func unlock(_ place: LockByte) {
        _ = kernel_unlock_byte(descriptor, place.byte)
    }

    /// Whether another open file has the place.
    func isLockedByOther(_ place: LockByte) -> Bool {
        kernel_is_byte_locked(descriptor, place.byte) == 1
    }

    /// Whether a slot is marked as held at this moment.
    func isMarkedHeld(_ slot: Int) -> Bool {
        var mark: UInt8 = 0
        return pread(descriptor, &mark, 1, off_t(SlotTable.statesAt + slot)) == 1 && mark != 0
    }

    /// Reads the table anew.
    func read(into table: inout SlotTable) {
        // The members that were never used are left out: they are the larger part.
        let size = SlotTable.membersAt + max(table.membersUsed, 8) * SlotTable.memberSize
        table.bytes.withUnsafeMutableBytes { _ = pread(descriptor, $0.baseAddress, size, 0) }
        let needed = SlotTable.membersAt + table.membersUsed * SlotTable.memberSize
        if needed > size {
            table.bytes.withUnsafeMutableBytes { _ = pread(descriptor, $0.baseAddress, needed, 0) }
        }
    }

    /// Writes the head of the file: everything before the slots.
    func writeHead(_ table: SlotTable) {
        write(table.bytes[..<SlotTable.statesAt], at: 0)
    }

    /// Writes whether a slot is marked as held.
    func writeMark(_ slot: Int, held: Bool) {
        write(CollectionOfOne(held ? 1 : 0), at: SlotTable.statesAt + slot)
    }

    /// Writes a member's record.
    func writeMember(_ index: Int, _ table: SlotTable) {
        let start = SlotTable.membersAt + index * SlotTable.memberSize
        write(table.bytes[start..<start + SlotTable.memberSize], at: start)
    }

    /// Writes who holds a slot.
    func writeHolder(_ slot: Int, _ holder: Holder) {
        holder.withBytes { write($0, at: layout.slotNotes + slot * layout.noteSize) }
    }

    /// Writes the part of a slot's record that changes while it is held.
    func writeProgress(_ slot: Int, _ holder: Holder) {
        holder.withBytes { write($0[..<Holder.changingSize], at: layout.slotNotes + slot * layout.noteSize) }
    }

    /// Writes who a member is.
    func writeMemberHolder(_ index: Int, _ holder: Holder) {
        holder.withBytes { write($0, at: layout.memberNotes + index * layout.noteSize) }
    }

    /// Reads who holds a slot, or held it last.
    func holder(of slot: Int) -> Holder {
        readHolder(at: layout.slotNotes + slot * layout.noteSize)
    }

    /// Reads who a member is.
    func holder(ofMember index: Int) -> Holder {
        readHolder(at: layout.memberNotes + index * layout.noteSize)
    }

    private func readHolder(at offset: Int) -> Holder {
        withUnsafeTemporaryAllocation(byteCount: Holder.size, alignment: 8) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            _ = pread(descriptor, buffer.baseAddress, Holder.size, off_t(offset))
            return Holder(bytes: UnsafeRawBufferPointer(buffer))
        }
    }

    private func write(_ bytes: some Collection<UInt8>, at offset: Int) {
        let written: Void? = bytes.withContiguousStorageIfAvailable {
            _ = pwrite(descriptor, $0.baseAddress, $0.count, off_t(offset))
        }
        if written == nil { write(Array(bytes), at: offset) }
    }
}

extension SlotFile {
    /// Takes a member's place, and says in it who that is.
    ///
    /// - Parameter program: The program's name.
    /// - Returns: The place's index.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable` when all places are taken.
    func join(program: String) throws -> Int {
        guard let member = (0..<SlotTable.memberCount).first(where: { tryLock(.member($0)) }) else {
            throw DatabaseError(
                .stateFolderUnusable,
                message: "\(SlotTable.memberCount) processes of this host use the account at the same time.",
                advice: "More than that cannot share a budget: end some of them."
            )
        }
        var holder = Holder.thisProcess(program: program, label: "", site: "")
        holder.state = .open
        writeMemberHolder(member, holder)
        var table = SlotTable()
        read(into: &table)
        if table.membersUsed <= member, lockHead() {
            read(into: &table)
            table.membersUsed = max(table.membersUsed, member + 1)
            writeHead(table)
            unlock(.head)
        }
        return member
    }

    /// Takes the right to write the head, which others have for microseconds only.
    ///
    /// - Returns: Whether it was to be had within a few milliseconds; a process stopped in the very middle keeps it.
    func lockHead() -> Bool { Self.lockHead(descriptor) }

    private static func lockHead(_ descriptor: Int32) -> Bool {
        for _ in 0..<10_000 {
            if kernel_try_lock_byte(descriptor, LockByte.head.byte) == 0 { return true }
            sched_yield()
        }
        return false
    }
}

/// Where the notes of a slot file stand, as the file itself says.
///
/// Programs of several versions use one file at the same time, so what they must agree on never changes: the lock bytes (see
/// ``LockByte``), and the table, which is the head, the marks of the first 512 slots and the records of the first 512 members
/// (see ``SlotTable``). A later version may have longer notes and more slots and members; it says here where its notes are, and
/// keeps what else it has behind them, or in the free bytes behind this. A file's layout is never changed once it is made.
struct SlotLayout: Equatable {
    /// The version of the layout; 0 in the files of the first release, which did not say.
    var version = 1

    /// The number of bytes of what is said here.
    var size = 28

    /// How many slots and members the file has room for: never less than this version knows.
    var (slots, members) = (SlotTable.slotCount, SlotTable.memberCount)

    /// Where the notes of the slots and of the members begin.
    var (slotNotes, memberNotes) = (20_480, 20_480 + SlotTable.slotCount * Holder.size)

    /// How long a note is, of which the beginning is what this version knows.
    var noteSize = Holder.size

    /// Where it stands in the file; what is between it and the first notes is free.
    static let offset = SlotTable.size

    /// The size of the whole file.
    var fileSize: Int { max(slotNotes + slots * noteSize, memberNotes + members * noteSize) }

    /// Creates the layout of the files that this version makes.
    init() {}

    /// Reads a layout; of one that says nothing, or nothing that can be, the notes are where they always were.
    init(bytes: UnsafeRawBufferPointer) {
        var values = (0..<7)
            .map { Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self))) }
        let usual = Self()
        let room = usual.slotNotes...(1 << 24)
        let isPossible =
            values[0] > 0 && values[1] >= usual.size && values[2] >= slots && values[3] >= members
            && room.contains(values[4]) && room.contains(values[5]) && (Holder.size...65_536).contains(values[6])
        if !isPossible { values = usual.values }
        (version, size, slots, members) = (values[0], values[1], values[2], values[3])
        (slotNotes, memberNotes, noteSize) = (values[4], values[5], values[6])
    }

    /// The layout as it stands in the file.
    var bytes: [UInt8] {
        values.flatMap { value in withUnsafeBytes(of: UInt32(clamping: value).littleEndian, Array.init) }
    }

    private var values: [Int] { [version, size, slots, members, slotNotes, memberNotes, noteSize] }
}

/// What a byte of the file stands for, when it is locked.
enum LockByte: Hashable {
    /// A slot of the budget.
    case slot(Int)
    /// A member that lives.
    case member(Int)
    /// The right to try whether a full account lets a connection in again.
    case prober
    /// The right to open a connection outside of the budget, to end a session.
    case reserve
    /// The right to take several slots, one after the other.
    case gather
    /// The right to ask for this host's share of an account that several hosts share.
    case share
    /// The right to write the head of the file.
    case head

    /// Far behind the records, where no byte needs to exist to be locked.
    ///
    /// The same in every version, for ever: a program that locked another byte would grant what one beside it holds.
    var byte: Int64 {
        switch self {
        case .slot(let index): 1 << 24 + Int64(index)
        case .member(let index): 1 << 25 + Int64(index)
        case .prober: 1 << 26
        case .reserve: 1 << 26 + 1
        case .head: 1 << 26 + 2
        case .gather: 1 << 26 + 3
        case .share: 1 << 26 + 4
        }
    }
}
