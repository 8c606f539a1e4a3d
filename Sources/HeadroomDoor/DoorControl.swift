import CLibrary
package import Headroom

/// The socket by which a door is asked what it is at, and by which another one takes its place.
///
/// The sockets that listen are passed on as they are: a client that comes at that moment is let in by the one or the other. (With
/// SO_REUSEPORT those in the queue of the one that ends are lost.)
final class DoorControl: @unchecked Sendable {
    private let door: Door
    private let path: String
    private let descriptor: Int32
    private let whenTaken: () -> Void
    private var isOpen = true

    /// Where the control socket of a door stands that listens at these places; `nil` where the path would be too long.
    static func path(_ settings: DatabaseSettings, _ places: [DoorPlace]) -> String? {
        guard let path = try? notes(settings, places).path(ending: ".sock"), path.utf8.count < 100 else { return nil }
        return path
    }

    private static func notes(_ settings: DatabaseSettings, _ places: [DoorPlace]) -> AccountNotes {
        let name = places.map(\.description).joined(separator: "+").utf8
            .map { (48...57).contains($0) || (97...122).contains($0 | 32) ? $0 : UInt8(ascii: "-") }
        return AccountNotes(settings, topic: "door-\(String(decoding: name.suffix(24), as: UTF8.self))")
    }

    /// Waits until no other door is taking these places over.
    ///
    /// Of two that did so at once, the one whose control socket was put over by the other's would go on, and nobody could reach it.
    ///
    /// - Returns: A lock to be held until there is a control socket; `nil` where it could not be had.
    static func turn(_ settings: DatabaseSettings, _ places: [DoorPlace]) async -> HostLock? {
        try? await HostLock.acquire(
            notes(settings, places).topicName,
            stateFolder: settings.stateFolder,
            program: "headroom door",
            label: "takes a door's place",
            timeout: .seconds(10)
        )
    }

    /// Listens at a control socket, in the place of an older one; `nil` when it cannot.
    init?(_ door: Door, at path: String, whenTaken: @escaping () -> Void) {
        guard let listener = try? DoorListener(.unix(path: path), mode: 0o600, group: nil, replacing: true) else {
            return nil
        }
        self.door = door
        self.path = path
        self.whenTaken = whenTaken
        descriptor = listener.descriptor
        door.poll.add(descriptor, SocketPoll.input) { [weak self] _ in self?.accept() }
    }

    private func accept() {
        let asking = kernel_accept(descriptor)
        guard asking >= 0 else { return }
        Task(executorPreference: EventLoop.shared) {
            if await self.door.poll.readable(asking, or: nil, until: .now + .seconds(1)) { self.answer(asking) }
            CLibrary.close(asking)
        }
    }

    private func answer(_ asking: Int32) {
        var question: UInt8 = 0
        guard recv(asking, &question, 1, Int32(MSG_DONTWAIT)) == 1 else { return }
        switch question {
        case UInt8(ascii: "r"):
            let text = Array(door.report.utf8.prefix(60_000))
            _ = CLibrary.send(asking, text, text.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        case UInt8(ascii: "t") where isOwn(asking):
            let listeners = door.giveUpListeners()
            let isSent = send(listeners, to: asking)
            for listener in listeners { listener.close(isLeft: isSent) }
            // The other one has its own control socket by the same name.
            close(isLeft: true)
            whenTaken()
        case UInt8(ascii: "c") where isOwn(asking): _ = send(door.listeners, to: asking)
        case UInt8(ascii: "e") where isOwn(asking): kill(getpid(), SIGTERM)
        default: break
        }
    }

    /// Whether it is this user who asks, or root; the socket's rights and its folder say the same.
    private func isOwn(_ asking: Int32) -> Bool {
        var who: (process: Int32, user: uid_t, group: gid_t) = (0, .max, .max)
        var size = socklen_t(MemoryLayout.size(ofValue: who))
        return getsockopt(asking, SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 && (who.user == geteuid() || who.user == 0)
    }

    private func send(_ listeners: [DoorListener], to asking: Int32) -> Bool {
        let text = Array(listeners.map { "\($0.place)\n" }.joined().utf8)
        return kernel_send_files(asking, text, text.count, listeners.map(\.descriptor), Int32(listeners.count)) == 0
    }

    /// What another process may want of a door's sockets.
    enum Wish: String {
        /// To go on with them in the door's place.
        case take = "t"
        /// To have them too, for the case that the door ends.
        case copy = "c"
    }

    /// Has a door end, as by SIGTERM; returns whether there is one.
    static func end(_ path: String) -> Bool {
        let asking = kernel_stream_socket(AF_UNIX)
        guard asking >= 0 else { return false }
        defer { CLibrary.close(asking) }
        return DoorListener.unixAddress(path, { connect(asking, $0, $1) }) == 0
            && CLibrary.send(asking, "e", 1, Int32(MSG_NOSIGNAL)) == 1
    }

    /// Asks a door for its sockets.
    ///
    /// - Parameters:
    ///   - path: Its control socket.
    ///   - wish: What for.
    /// - Returns: The sockets by their places; none when no door answers.
    static func sockets(_ path: String, to wish: Wish) -> [String: Int32] {
        let asking = kernel_stream_socket(AF_UNIX)
        guard asking >= 0 else { return [:] }
        defer { CLibrary.close(asking) }
        guard DoorListener.unixAddress(path, { connect(asking, $0, $1) }) == 0,
            CLibrary.send(asking, wish.rawValue, 1, Int32(MSG_NOSIGNAL)) == 1
        else { return [:] }
        var entry = pollfd(fd: asking, events: Int16(POLLIN), revents: 0)
        guard poll(&entry, 1, 5_000) > 0 else { return [:] }
        var text = [UInt8](repeating: 0, count: 4096)
        var files = [Int32](repeating: -1, count: 16)
        var count: Int32 = 0
        let size = kernel_receive_files(asking, &text, text.count, &files, &count)
        let places = text.prefix(max(0, size)).split(separator: UInt8(ascii: "\n"))
        return Dictionary(zip(places.map { String(decoding: $0, as: UTF8.self) }, files.prefix(Int(count)))) { $1 }
    }

    /// Stops listening.
    func close(isLeft: Bool = false) {
        guard isOpen else { return }
        isOpen = false
        door.poll.remove(descriptor)
        if !isLeft { DoorListener.remove(path) }
        CLibrary.close(descriptor)
    }
}

/// What a door is at, as it says itself.
package struct DoorReport: Sendable {
    /// A client.
    package struct Client: Sendable {
        /// Whether it waits, has a session, is parked, or waits for another session.
        package var state: String
        /// For how long.
        package var time: Duration
        /// Who it is.
        package var label: String
    }

    /// Its clients.
    package var clients: [Client]

    /// Asks all doors of an account that this user may ask.
    ///
    /// - Parameter settings: The account.
    /// - Returns: The clients of all of them; `nil` when there is no door.
    package static func ask(_ settings: DatabaseSettings) -> DoorReport? {
        guard let path = try? AccountNotes(settings, topic: "door").path(ending: ".sock"),
            let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")),
            let names = OpenFolder.names(in: String(path[..<slash]))
        else { return nil }
        let own = path[slash...].dropFirst("/door".utf8.count)
        var report: DoorReport?
        for name in names where name.begins(with: "door-") && name.ends(with: own) {
            guard let answer = answer("\(path[..<slash])/\(name)") else { continue }
            report = report ?? DoorReport(clients: [])
            report?.clients += answer
        }
        return report
    }

    private static func answer(_ path: String) -> [Client]? {
        let asking = kernel_stream_socket(AF_UNIX)
        guard asking >= 0 else { return nil }
        defer { close(asking) }
        guard DoorListener.unixAddress(path, { connect(asking, $0, $1) }) == 0,
            send(asking, "r", 1, Int32(MSG_NOSIGNAL)) == 1
        else { return nil }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 65_536)
        while bytes.count < 1 << 20 {
            var entry = pollfd(fd: asking, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 1_000) > 0 else { return nil }
            let count = recv(asking, &part, part.count, Int32(MSG_DONTWAIT))
            guard count > 0 else { break }
            bytes += part.prefix(count)
        }
        return bytes.split(separator: UInt8(ascii: "\n"))
            .compactMap { line in
                let words = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
                guard words.count == 3, let time = Int(String(decoding: words[1], as: UTF8.self)) else { return nil }
                return Client(
                    state: String(decoding: words[0], as: UTF8.self),
                    time: .milliseconds(time.asCount),
                    label: String(decoding: words[2], as: UTF8.self)
                )
            }
    }
}
