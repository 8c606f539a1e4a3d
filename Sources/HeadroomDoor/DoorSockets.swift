import CLibrary
package import Headroom

/// The sockets of a door that another process holds open too, so that clients wait in the kernel's queue while there is no door.
package struct DoorSockets: Sendable {
    /// A socket that listens.
    private struct Entry: Sendable {
        var listener: DoorListener
        /// The socket file as it was when it was opened; `nil` for TCP.
        var file: (device: UInt64, number: UInt64)?
    }

    private let entries: [Entry]

    private init(entries: [Entry]) { self.entries = entries }

    /// Opens them: those that were inherited, else those of a door that listens there, which keeps them, else new ones.
    ///
    /// - Parameters:
    ///   - settings: The account.
    ///   - door: Where to listen, and with which rights to the files.
    ///   - inherited: Sockets by their places, as the program that became this one had them.
    /// - Returns: The sockets.
    /// - Throws: ``DatabaseError`` when one cannot be had within 5 seconds, `CancellationError`.
    package static func open(
        _ settings: DatabaseSettings,
        _ door: DoorSettings,
        inherited: [String: Int32] = [:]
    ) async throws -> DoorSockets {
        var left = inherited
        var entries: [Entry] = []
        let deadline = ContinuousClock.now + .seconds(5)
        for place in door.places {
            var found = listener(at: place, settings, door, left.removeValue(forKey: place.description))
            // A door that listens there may be handing its sockets to another at this moment.
            while case .failure = found, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(20))
                found = listener(at: place, settings, door, nil)
            }
            entries.append(Entry(listener: try found.get(), file: file(place)))
        }
        for (place, descriptor) in left {
            // No longer wanted, and nobody else takes its file away.
            DoorPlace(place).map { DoorListener($0, taking: descriptor).close(isLeft: false) }
        }
        return DoorSockets(entries: entries)
    }

    private static func listener(
        at place: DoorPlace,
        _ settings: DatabaseSettings,
        _ door: DoorSettings,
        _ inherited: Int32?
    ) -> Result<DoorListener, DatabaseError> {
        var found = inherited
        if found == nil {
            var copies = DoorControl.path(settings, door.places).map { DoorControl.sockets($0, to: .copy) } ?? [:]
            found = copies.removeValue(forKey: place.description)
            for descriptor in copies.values { CLibrary.close(descriptor) }
        }
        // The file of a socket may have been taken away since: nobody finds it then.
        if let descriptor = found, case .unix(let path) = place, !DoorListener.isAlive(path) {
            CLibrary.close(descriptor)
            found = nil
        }
        if let found { return .success(DoorListener(place, taking: found)) }
        do throws(DatabaseError) {
            return .success(try DoorListener(place, mode: door.mode, group: door.group))
        } catch {
            return .failure(error)
        }
    }

    /// The descriptors, for a program that inherits them.
    package var descriptors: [Int32] { entries.map(\.listener.descriptor) }

    /// The descriptors with their places, a line each, as the program reads them that inherits them.
    package var text: String { entries.map { "\($0.listener.descriptor) \($0.listener.place)\n" }.joined() }

    /// Reads such a text; only of descriptors that are sockets which listen.
    package static func read(_ text: String) -> [String: Int32] {
        var sockets: [String: Int32] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            let words = line.split(separator: UInt8(ascii: " "), maxSplits: 1)
            guard words.count == 2, let descriptor = Int32(Substring(words[0])), descriptor > STDERR_FILENO else {
                continue
            }
            var (listens, size) = (Int32(0), socklen_t(4))
            guard getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0, listens == 1 else {
                continue
            }
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
            sockets[String(Substring(words[1]))] = descriptor
        }
        return sockets
    }

    /// Has the program that this one becomes inherit them.
    package func keepThroughExec() {
        for descriptor in descriptors { _ = fcntl(descriptor, F_SETFD, 0) }
    }

    /// Whether the file of each still leads to it; somebody may have cleaned up.
    package var areThere: Bool {
        entries.allSatisfy { entry in
            guard let file = entry.file else { return true }
            return Self.file(entry.listener.place).map { $0 == file } ?? false
        }
    }

    /// Stops listening, and takes the files away.
    package func close() {
        for entry in entries { entry.listener.close(isLeft: false) }
    }

    /// Has a door that listens at the places end, whoever started it; returns whether there is one.
    package static func endDoor(_ settings: DatabaseSettings, _ places: [DoorPlace]) -> Bool {
        DoorControl.path(settings, places).map(DoorControl.end) ?? false
    }

    private static func file(_ place: DoorPlace) -> (device: UInt64, number: UInt64)? {
        guard case .unix(let path) = place else { return nil }
        var facts = stat()
        return lstat(path, &facts) == 0 ? (UInt64(facts.st_dev), UInt64(facts.st_ino)) : nil
    }
}
