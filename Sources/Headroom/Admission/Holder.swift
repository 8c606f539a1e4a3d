import CLibrary

/// Says who holds a slot or waits for one.
public struct Holder: Sendable, Hashable {
    /// What is going on in a slot; the raw values are what the file and `--json` use.
    public enum State: UInt8, Sendable, Hashable {
        /// A program of another version of Headroom has it, and says what this one does not know.
        case unknown = 0
        /// The connection is being opened.
        case opening = 1
        /// The connection is in use.
        case open = 2
        /// The connection is kept open between two scopes.
        case idle = 3
        /// The connection was given up, and the server has not let its session go yet.
        case draining = 4
        /// The slot was taken for a program that opens its own connections (`headroom run`).
        case program = 5
    }

    /// What is going on in the slot.
    public var state = State.opening

    /// Whether it has been held for longer than its program expected.
    public var isHeldTooLong = false

    /// The process, in its own pid namespace.
    public var processID: Int32 = 0

    /// When the process was started, in clock ticks since the machine was (`/proc/PID/stat`, field 22): a process id
    /// alone may belong to another one by now.
    public var processStart: UInt64 = 0

    /// When it was taken, in nanoseconds since 1970.
    public var since: Int64 = 0

    /// The session on the server; 0 while there is none.
    public var sessionID: UInt64 = 0

    /// When the session's server was started, in seconds since 1970; 0 when that is not known.
    public var serverStartedAt: Int64 = 0

    /// The program, as the server shows it too.
    public var program = ""

    /// What the connection is for, in its program's words.
    public var label = ""

    /// The place in the program that opened it, such as `Shop/Orders.swift:41`.
    public var site = ""

    /// How long ago it was taken; zero when that is not known.
    public var age: Duration { since == 0 ? .zero : .nanoseconds(max(0, Slot.now.subtracting(clamped: since))) }

    /// The program with its process, and what more is to be said of it, such as `php import.php (process 4312, session 7)`.
    package func words(_ more: String = "") -> String {
        let facts = [processID == 0 ? "" : "process \(processID)", more].filter { !$0.isEmpty }
        return facts.isEmpty ? program : "\(program) (\(facts.joined(separator: ", ")))"
    }

    /// Whether its process is stopped, so that it does nothing until somebody lets it go on.
    package var isStopped: Bool {
        processID > 0 && Self.start(of: processID) == processStart && Machine.isStopped(processID)
    }

    /// Creates an empty holder.
    public init() {}
}

/// The record of a holder in the slot file, its note.
///
/// A note of a later version is not read: its slot is held, as its lock says, and by whom is not known.
extension Holder {
    static let size = 256

    /// The version of the notes that this program writes; the first release left the byte at 0, and wrote the same.
    private static let version: UInt8 = 1

    /// The bytes at the beginning that change while a slot is held.
    static let changingSize = 40

    /// Runs the body with the record's bytes.
    func withBytes<Result>(_ body: (UnsafeBufferPointer<UInt8>) -> Result) -> Result {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.size) { bytes in
            bytes.initialize(repeating: 0)
            let raw = UnsafeMutableRawBufferPointer(bytes)
            raw[0] = state.rawValue
            raw[1] = isHeldTooLong ? 1 : 0
            raw[2] = Self.version
            raw.storeBytes(of: processID.littleEndian, toByteOffset: 4, as: Int32.self)
            raw.storeBytes(of: processStart.littleEndian, toByteOffset: 8, as: UInt64.self)
            raw.storeBytes(of: since.littleEndian, toByteOffset: 16, as: Int64.self)
            raw.storeBytes(of: sessionID.littleEndian, toByteOffset: 24, as: UInt64.self)
            raw.storeBytes(of: serverStartedAt.littleEndian, toByteOffset: 32, as: Int64.self)
            Self.store(program, raw, at: 40, room: 40)
            Self.store(label, raw, at: 80, room: 80)
            Self.store(site, raw, at: 160, room: 96)
            return body(UnsafeBufferPointer(bytes))
        }
    }

    /// Reads a record; whatever is in it, as a process may have died while it wrote.
    init(bytes: UnsafeRawBufferPointer) {
        func number<Number: FixedWidthInteger>(_ offset: Int, _: Number.Type) -> Number {
            Number(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Number.self))
        }
        guard bytes[2] <= Self.version else {
            state = .unknown
            program = "another version of Headroom"
            return
        }
        // Nothing is noted yet in a slot that has just been taken for the first time.
        state = bytes[0] == 0 ? .opening : State(rawValue: bytes[0]) ?? .unknown
        isHeldTooLong = bytes[1] != 0
        processID = number(4, Int32.self)
        processStart = number(8, UInt64.self)
        since = number(16, Int64.self)
        sessionID = number(24, UInt64.self)
        serverStartedAt = number(32, Int64.self)
        program = Self.text(bytes, at: 40, room: 40)
        label = Self.text(bytes, at: 80, room: 80)
        site = Self.text(bytes, at: 160, room: 96)
    }

    private static func store(_ text: String, _ bytes: UnsafeMutableRawBufferPointer, at offset: Int, room: Int) {
        var count = 0
        for byte in text.utf8.prefix(room - 1) {
            bytes[offset + 1 + count] = byte
            count += 1
        }
        bytes[offset] = UInt8(count)
    }

    private static func text(_ bytes: UnsafeRawBufferPointer, at offset: Int, room: Int) -> String {
        let count = min(Int(bytes[offset]), room - 1)
        // A text that was cut in the middle of a character ends with a replacement character.
        return String(decoding: bytes[(offset + 1)..<(offset + 1 + count)], as: UTF8.self)
    }
}

extension Holder {
    /// This process, in a slot that is being opened.
    static func thisProcess(program: String, label: String, site: String) -> Holder {
        var holder = Holder()
        holder.processID = thisProcessID
        holder.processStart = startOfThisProcess
        holder.program = program
        holder.label = label
        holder.site = site
        return holder
    }

    /// Has another process of this host be the holder.
    mutating func hand(to process: pid_t) {
        (processID, processStart) = (process, Self.start(of: process) ?? 0)
    }

    /// Whether its session is an older one of the same server, so that its id can be nobody else's by now.
    ///
    /// Ids begin anew when a server starts: a smaller one than the dead session's, or another start, and it may be.
    func isOlder(than session: UInt64, serverStartedAt start: Int64) -> Bool {
        sessionID > 0 && sessionID < session
            && (serverStartedAt == 0 || serverStartedAt.subtracting(clamped: start).magnitude <= 3)
    }

    private static let thisProcessID = getpid()
    private static let startOfThisProcess = start(of: getpid()) ?? 0

    /// When a process was started, which tells it from others of its id; `nil` when there is no such process.
    static func start(of process: pid_t) -> UInt64? { Machine.start(of: process) }
}

/// A process, told apart from every other that this host has had, and from those of other hosts.
///
/// For notes that outlive their writer, such as who works on a job: a reader on the same host can see at once
/// whether that process still runs.
public struct ProcessIdentity: Sendable, Hashable {
    /// The host since it was started, and the pid namespace (a container) in which the id counts.
    public var host: String

    /// The process id.
    public var processID: Int32

    /// When the process was started, in clock ticks since its host was (on macOS in microseconds since 1970): an id alone may
    /// belong to another one by now.
    public var start: UInt64

    /// Creates a note of a process, as it was written down.
    public init(host: String, processID: Int32, start: UInt64) {
        self.host = host
        self.processID = processID
        self.start = start
    }

    /// This process.
    public static let current = ProcessIdentity(
        host: thisHost,
        processID: getpid(),
        start: Holder.start(of: getpid()) ?? 0
    )

    /// Whether the process still runs; `nil` when it cannot be seen from here, as it is another host's.
    public var isRunning: Bool? {
        guard host == Self.thisHost, !host.isEmpty else { return nil }
        if let start = Holder.start(of: processID) { return start == self.start }
        // That something has its id is all that can be known of a hidden one.
        return Machine.isHidden(processID) ? nil : false
    }

    /// Whether the process runs on this host and is stopped, so that it does nothing until somebody lets it go on.
    package var isStopped: Bool { isRunning == true && Machine.isStopped(processID) }

    private static let thisHost: String = {
        let boot = Machine.bootID.keeping { !$0.isBlank }
        return boot.isEmpty ? "" : "\(boot).\(Machine.processNamespace)"
    }()
}
