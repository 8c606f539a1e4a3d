/// What an account's slot file says at one moment: the limit, which slots are marked as held, and who waits.
///
/// Only a hint, as other processes write it while it is read: whether a slot is held the kernel's lock on its byte decides,
/// and whether a member lives the lock on the member's. All decisions that need no lock are made here, on the bytes alone.
/// Its bytes have the same places in every version; what is new goes into what is free, see ``SlotLayout``.
struct SlotTable {
    /// The most slots of an account on one host, whatever its limit.
    static let slotCount = 512

    /// The most processes (and databases in one process) that use an account on one host at a time.
    static let memberCount = 512

    /// The bytes from the file's beginning to the end of the members' records.
    static let size = membersAt + memberCount * memberSize

    static let statesAt = 64
    static let membersAt = statesAt + slotCount
    static let memberSize = 32

    /// The first eight bytes of a slot file of any version.
    static let magic: UInt64 = 0x31_4D_4F_4F_52_44_41_48

    /// The bytes as they are in the file.
    var bytes: [UInt8]

    /// Creates an empty table.
    init() {
        bytes = [UInt8](repeating: 0, count: Self.size)
        write(Self.magic, at: 0)
    }

    /// The number of member records that were ever used.
    var membersUsed: Int {
        get { min(Self.memberCount, Int(read(UInt32.self, at: 8))) }
        set { write(UInt32(clamping: newValue), at: 8) }
    }

    /// The account's limit; `nil` while it is not known, ``unlimited`` when there is none.
    var limit: Int? {
        get {
            let limit = Int(read(UInt32.self, at: 12))
            return limit == 0 || limit > Self.most && limit != Self.unlimited ? nil : limit
        }
        set { write(UInt32(clamping: newValue ?? 0), at: 12) }
    }

    /// The largest number of connections that means something: a file that others have written to may say any.
    private static let most = 1_000_000

    /// Stands for a limit that does not exist.
    static let unlimited = Int(UInt32.max)

    /// When the limit was read, in seconds since 1970.
    var limitReadAt: Int64 {
        get { read(Int64.self, at: 16) }
        set { write(newValue, at: 16) }
    }

    /// When the server was started, in seconds since 1970; good to two seconds.
    var serverStartedAt: Int64 {
        get { read(Int64.self, at: 24) }
        set { write(newValue, at: 24) }
    }

    /// The sessions of the account that the server showed beyond those with a slot, when the limit was read.
    var foreignSessions: Int {
        get {
            let sessions = Int(read(UInt32.self, at: 32))
            return sessions > Self.most ? 0 : sessions
        }
        set { write(UInt32(clamping: newValue), at: 32) }
    }

    /// What the host has of an account that several hosts share, see ``HostShare``; only as long as the machine runs on.
    ///
    /// - Parameter boot: What tells this run of the machine from every other: its clock begins anew with each.
    /// - Returns: The share; none when it was noted in another run.
    func hostShare(in boot: UInt32) -> HostShare {
        guard read(UInt32.self, at: 36) == boot else { return HostShare() }
        let next = read(UInt64.self, at: 56)
        return HostShare(
            share: Int(read(UInt32.self, at: 44)),
            cap: Int(read(UInt32.self, at: 40)),
            usableUntil: read(UInt64.self, at: 48),
            nextAt: next & ~Self.waitingBit,
            isWaiting: next & Self.waitingBit != 0
        )
    }

    /// Notes what the host has of a shared account.
    mutating func setHostShare(_ share: HostShare, in boot: UInt32) {
        write(boot, at: 36)
        write(UInt32(clamping: share.cap), at: 40)
        write(UInt32(clamping: share.share), at: 44)
        write(share.usableUntil, at: 48)
        write(share.nextAt | (share.isWaiting ? Self.waitingBit : 0), at: 56)
    }

    private static let waitingBit: UInt64 = 1 << 63

    /// Whether a slot is marked as held.
    func isHeld(_ slot: Int) -> Bool { bytes[Self.statesAt + slot] != 0 }

    /// Marks a slot as held or free.
    mutating func mark(_ slot: Int, held: Bool) { bytes[Self.statesAt + slot] = held ? 1 : 0 }

    /// A member's record.
    subscript(member index: Int) -> Member {
        get {
            let start = Self.membersAt + index * Self.memberSize
            return Member(
                ticket: read(UInt64.self, at: start),
                waiting: Int(read(UInt32.self, at: start + 8)),
                budget: Int(read(UInt32.self, at: start + 12)),
                reserve: Int(read(UInt32.self, at: start + 16)),
                keepsIdle: bytes[start + 20] != 0,
                isPresent: bytes[start + 21] != 0,
                hosts: Int(read(UInt16.self, at: start + 22)),
                share: Int(read(UInt16.self, at: start + 24))
            )
        }
        set {
            let start = Self.membersAt + index * Self.memberSize
            write(newValue.ticket, at: start)
            write(UInt32(clamping: newValue.waiting), at: start + 8)
            write(UInt32(clamping: newValue.budget), at: start + 12)
            write(UInt32(clamping: newValue.reserve), at: start + 16)
            bytes[start + 20] = newValue.keepsIdle ? 1 : 0
            bytes[start + 21] = newValue.isPresent ? 1 : 0
            write(UInt16(clamping: newValue.hosts), at: start + 22)
            write(UInt16(clamping: newValue.share), at: start + 24)
            // What a later version has said there of another member.
            write(UInt16(0), at: start + 26)
            write(UInt32(0), at: start + 28)
        }
    }

    /// One process's (or one database's) part in the budget.
    struct Member: Equatable {
        /// When the member's longest waiting task came, on the host's monotonic clock; 0 when none waits.
        var ticket: UInt64 = 0

        /// The number of its tasks that wait.
        var waiting = 0

        /// The budget that its settings name; 0 when they name none.
        var budget = 0

        /// What it leaves free of the limit, when its settings name no budget.
        var reserve = 0

        /// Whether it may have idle connections to give up, and is to be notified when others wait.
        var keepsIdle = false

        /// Whether the record is in use; whether its member still lives, the lock says.
        var isPresent = false

        /// How many hosts share the account, as its settings say; 0 when they say nothing of it.
        var hosts = 0

        /// How many connections are always this host's, as its settings say; 0 when they say nothing of it.
        var share = 0
    }

    /// The budget that a member's settings make of the limit, at least 1; `nil` while the limit is not known.
    func budget(of member: Member) -> Int? {
        guard let whole = accountBudget(of: member) else { return nil }
        return member.hosts == 0 && member.share > 0 ? min(whole, member.share) : whole
    }

    /// The same for all hosts together.
    func accountBudget(of member: Member) -> Int? {
        if member.budget > 0 { return min(member.budget, Self.slotCount) }
        guard let limit else { return nil }
        return min(max(1, limit - member.reserve), Self.slotCount)
    }

    /// The number of leading slots that may be taken, so that with those held behind them the budget is not exceeded.
    ///
    /// All of the budget, unless it has shrunk and slots behind it are still held.
    func takable(within budget: Int) -> Int {
        var behind = heldSlots(from: budget)
        var takable = budget
        while takable > 0, takable + behind > budget {
            takable -= 1
            if isHeld(takable) { behind += 1 }
        }
        return takable
    }

    /// The number of slots marked as held, from one of them on.
    func heldSlots(from first: Int = 0) -> Int {
        bytes.withUnsafeBytes { bytes in
            var held = 0
            var index = Self.statesAt + first
            while index < Self.membersAt {
                // Most are free: eight at a time.
                if index % 8 == 0, bytes.load(fromByteOffset: index, as: UInt64.self) == 0 {
                    index += 8
                } else {
                    if bytes[index] != 0 { held += 1 }
                    index += 1
                }
            }
            return held
        }
    }

    /// The member whose task has waited longest, apart from one of them.
    func longestWaiting(except own: Int) -> (index: Int, ticket: UInt64)? {
        var oldest: (index: Int, ticket: UInt64)?
        for index in 0..<membersUsed where index != own {
            let ticket = read(UInt64.self, at: Self.membersAt + index * Self.memberSize)
            if ticket != 0, ticket < oldest?.ticket ?? .max { oldest = (index, ticket) }
        }
        return oldest
    }

    private func read<Number: FixedWidthInteger>(_: Number.Type, at offset: Int) -> Number {
        bytes.withUnsafeBytes { Number(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: Number.self)) }
    }

    private mutating func write<Number: FixedWidthInteger>(_ number: Number, at offset: Int) {
        bytes.withUnsafeMutableBytes { $0.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Number.self) }
    }
}
