import CLibrary

/// Wakes the members of an account, each by a file of its own, with no daemon between them.
///
/// The kernel watches `wake/N` for member N (inotify): a process that writes to it wakes that member and no other. The slot
/// file is watched for being closed, which is the last thing that a process does, also when it is killed with -9. Nothing is
/// watched before a task waits. (Systems other than Linux: see ``FileWatch``.)
final class MemberNotification: Sendable {
    enum Event: Sendable {
        /// Another member has posted.
        case posted
        /// A process has closed the slot file, most likely by ending.
        case slotFileClosed
    }

    private struct State {
        var watch: FileWatch?
        var isListening = false
        /// The other members' files, open for writing.
        var others: [Int: Int32] = [:]
        var onEvent: (@Sendable (Event) -> Void)?
    }

    private let folder: String
    private let member: Int
    private let slots: String
    private let state = Locked(State())

    /// Creates the member's file.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(folder: String, member: Int, slots: String) throws {
        self.folder = try StateFolder(folder).folder("wake")
        self.member = member
        self.slots = slots
        close(try StateFolder.openShared("\(self.folder)/\(member)"))
    }

    deinit {
        state.withLock { state in
            for descriptor in state.others.values { close(descriptor) }
        }
    }

    /// Is run on the event loop's thread for each event.
    var onEvent: (@Sendable (Event) -> Void)? {
        get { state.withLock(\.onEvent) }
        set { state.withLock { $0.onEvent = newValue } }
    }

    /// Whether the kernel does not report all events to this process, which must then look by itself.
    var needsPolling: Bool { state.withLock { $0.isListening && ($0.watch == nil || !FileWatch.seesClosing) } }

    /// Begins to listen; returns whether it has only now begun.
    @discardableResult
    func listen() -> Bool {
        let (hasBegun, watch) = state.withLock { state -> (Bool, FileWatch?) in
            guard !state.isListening else { return (false, nil) }
            state.isListening = true
            state.watch = FileWatch("\(folder)/\(member)", closing: slots)
            return (true, state.watch)
        }
        watch?.tell { [weak self] in self?.handle($0) }
        return hasBegun
    }

    /// Wakes another member.
    func post(to other: Int) {
        let descriptor = state.withLock { state -> Int32 in
            if let descriptor = state.others[other] { return descriptor }
            let descriptor = (try? RegularFile.open("\(folder)/\(other)", O_WRONLY)) ?? -1
            if descriptor >= 0 { state.others[other] = descriptor }
            return descriptor
        }
        FileWatch.post(descriptor)
    }

    private func handle(_ events: FileWatch.Events) {
        guard let onEvent else { return }
        if events.wasPosted { onEvent(.posted) }
        if events.wasClosed { onEvent(.slotFileClosed) }
    }
}
