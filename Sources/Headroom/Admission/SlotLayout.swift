/// Where the notes of a slot file stand, as whoever made the file has said in it.
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
