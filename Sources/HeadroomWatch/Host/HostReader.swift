import Glibc
import Headroom

/// Reads from /proc and from the kernel who holds connections to the server.
///
/// It blocks for the few milliseconds that this takes.
public struct HostReader: Sendable {
    private let proc: String
    private let places: ServerPlaces
    private let secrets: [String]

    /// Creates a reader for a server that is reached at these places.
    ///
    /// - Parameters:
    ///   - places: Where the server is.
    ///   - secrets: Passwords that are left out of command lines wherever they stand.
    public init(_ places: ServerPlaces, secrets: [String] = []) {
        self.init(places, secrets: secrets, proc: "/proc")
    }

    init(_ places: ServerPlaces, secrets: [String] = [], proc: String) {
        var places = places
        for path in places.paths {
            var information = stat()
            if stat(path, &information) == 0 { places.files.insert(UInt32(truncatingIfNeeded: information.st_ino)) }
        }
        self.places = places
        self.secrets = secrets.filter { !$0.isEmpty }
        self.proc = proc
    }

    /// Looks at the host.
    public func view() -> HostView {
        let (sockets, monitorError) = sockets()
        var facts = HostFacts(
            sockets: sockets,
            user: geteuid(),
            ownProcesses: ownProcesses()
        )
        facts.monitorError = monitorError
        facts.userNames = ProcessText.userNames(HostFile.text("/etc/passwd"))
        facts.isProcHidden = geteuid() != 0 && access("\(proc)/1", F_OK) != 0
        facts.ptraceScope = Int(text("sys/kernel/yama/ptrace_scope").keeping(\.isDigit)) ?? 0
        walk(&facts)
        let found = Set(facts.holders.flatMap(\.descriptors.values))
        if !facts.sockets.clients.keys.allSatisfy(found.contains) {
            // Some were closed between the list of sockets and the look at their processes; those are nobody's.
            let later = self.sockets().found.clients
            facts.sockets.clients = facts.sockets.clients.filter { found.contains($0.key) || later[$0.key] != nil }
        }
        return HostView(facts)
    }

    /// The server's sockets, and why the monitor could not be asked for them, if so.
    private func sockets() -> (found: ServerSockets, monitorError: Int32?) {
        do {
            let (unix, tcp) = (try SocketMonitor.unixSockets(), try SocketMonitor.tcpSockets())
            return (ServerSockets(places, unix: unix, tcp: tcp, isMonitored: true), nil)
        } catch {
            let unix = UnixSocket.table(text("net/unix"))
            let tcp = TCPSocket.table(text("net/tcp")) + TCPSocket.table(text("net/tcp6"))
            return (ServerSockets(places, unix: unix, tcp: tcp, isMonitored: false), error.number)
        }
    }

    /// This process and those that it was started by.
    func ownProcesses() -> Set<Int32> {
        var own: Set<Int32> = []
        var process = getpid()
        while process > 1, own.insert(process).inserted, let stat = ProcessText.stat(text("\(process)/stat")) {
            process = stat.parent
        }
        return own
    }

    private static let serverNames: Set<String> = ["mariadbd\n", "mysqld\n"]

    private func walk(_ facts: inout HostFacts) {
        let wanted = Set(facts.sockets.clients.keys)
        let users = Set(facts.sockets.clients.values.compactMap(\.user) + [facts.user])
        var ticks: Double?
        func now() -> Double {
            // The first word is the time since the machine was started, in seconds.
            let uptime = ticks ?? Double(text("uptime").leading { $0 != " " }) ?? 0
            ticks = uptime
            return uptime
        }
        for name in OpenFolder.names(in: proc) ?? [] {
            guard let id = Int32(name) else { continue }
            if places.isHere, facts.serverUnit == nil, Self.serverNames.contains(text("\(name)/comm")) {
                facts.serverUnit = ProcessText.unit(text("\(name)/cgroup"))
            }
            if wanted.isEmpty { continue }
            guard let found = descriptors(of: name, among: wanted) else {
                if let process = process(id, now()), users.contains(process.user),
                    !Self.serverNames.contains("\(process.name)\n")
                {
                    facts.closed.append(process)
                }
                continue
            }
            guard !found.isEmpty, let process = process(id, now()) else { continue }
            facts.holders.append(
                HostFacts.Holder(process: process, descriptors: found, waitedFor: descriptorsWaitedFor(name))
            )
        }
    }

    /// The wanted sockets that a process holds; `nil` when it may not be looked into.
    private func descriptors(of process: String, among wanted: Set<UInt64>) -> [Int32: UInt64]? {
        let folder = "\(proc)/\(process)/fd"
        guard let names = OpenFolder.names(in: folder) else { return errno == ENOENT || errno == ESRCH ? [:] : nil }
        var found: [Int32: UInt64] = [:]
        for name in names {
            guard let descriptor = Int32(name), let link = Self.link("\(folder)/\(name)"),
                let inode = ProcessText.socket(link), wanted.contains(inode)
            else { continue }
            found[descriptor] = inode
        }
        return found
    }

    private func process(_ id: Int32, _ uptime: Double) -> HostProcess? {
        guard let stat = ProcessText.stat(text("\(id)/stat")), let user = ProcessText.user(text("\(id)/status")) else {
            return nil
        }
        let line = CommandLineText.readable(HostFile.bytes("\(proc)/\(id)/cmdline"), secrets: secrets)
        let age = uptime - Double(stat.startedAt) / Double(sysconf(Int32(_SC_CLK_TCK)))
        return HostProcess(
            id: id,
            user: user,
            name: stat.name,
            parent: stat.parent,
            commandLine: line.isEmpty ? "[\(stat.name)]" : line,
            unit: ProcessText.unit(text("\(id)/cgroup")),
            age: .seconds(clamped: max(0, age))
        )
    }

    /// The descriptors for which the process's threads wait, as far as the calls that they sleep in name them.
    private func descriptorsWaitedFor(_ process: String) -> Set<Int32>? {
        var waited: Set<Int32> = []
        guard SystemCall.isKnown, let threads = OpenFolder.names(in: "\(proc)/\(process)/task") else { return nil }
        for thread in threads where Int32(thread) != nil {
            let text = text("\(process)/task/\(thread)/syscall")
            // Unreadable: not allowed, or a kernel without it.
            if text.isEmpty { return nil }
            switch SystemCall(text)?.waits {
            case .descriptor(let descriptor): waited.insert(descriptor)
            case .list(let address, let count): waited.formUnion(polled(process, address, count))
            case .unknown, nil: break
            }
        }
        return waited
    }

    /// The descriptors in an array of `struct pollfd` in a process's memory.
    private func polled(_ process: String, _ address: UInt64, _ count: Int) -> [Int32] {
        let memory = open("\(proc)/\(process)/mem", O_RDONLY | O_CLOEXEC)
        guard memory >= 0, count > 0 else { return [] }
        defer { close(memory) }
        var entries = [pollfd](repeating: pollfd(), count: count)
        let size = count * MemoryLayout<pollfd>.stride
        guard let offset = Int(exactly: address), pread(memory, &entries, size, offset) == size else { return [] }
        return entries.map(\.fd)
    }

    private func text(_ name: String) -> String { HostFile.text("\(proc)/\(name)") }

    private static func link(_ path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            guard count > 0 else { return nil }
            return String(decoding: UnsafeRawBufferPointer(start: start, count: count), as: UTF8.self)
        }
    }
}

/// Files of a host that are read as they are; none of them need have a size to go by, as those of /proc have not.
enum HostFile {
    /// A file's text, 16 MB of it at most; empty when it cannot be read.
    static func text(_ path: String) -> String { String(decoding: bytes(path), as: UTF8.self) }

    /// A file's bytes.
    static func bytes(_ path: String) -> [UInt8] {
        // A FIFO in such a file's place would never answer.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return [] }
        defer { close(file) }
        var bytes: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { buffer in
            while bytes.count < 1 << 24, case let count = read(file, buffer.baseAddress, buffer.count), count > 0 {
                bytes += buffer[..<count]
            }
            return bytes
        }
    }
}
