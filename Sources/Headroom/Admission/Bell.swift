import CLibrary

/// How the members of an account wake each other, with no daemon between them.
///
/// Each member has a file of its own, `wake/N`, which the kernel watches for it (inotify): whoever writes into it wakes the
/// member, and nobody else. The slot file is watched for being closed: that is what a process does last, also one that is
/// killed with -9. Nothing is watched before somebody waits. (Systems other than Linux: see ``FileWatch``.)
final class Bell: Sendable {
    /// What a member hears.
    enum Sound: Sendable {
        /// Another member rang.
        case rung
        /// A process has closed the slot file, most likely by ending.
        case closed
    }

    private struct State {
        var watch: FileWatch?
        var isListening = false
        /// The other members' files, open for writing.
        var others: [Int: Int32] = [:]
        var heard: (@Sendable (Sound) -> Void)?
    }

    private let folder: String
    private let member: Int
    private let slots: String
    private let state = Guarded(State())

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

    /// What is run on the waiting thread when the member hears something.
    var heard: (@Sendable (Sound) -> Void)? {
        get { state.withLock(\.heard) }
        set { state.withLock { $0.heard = newValue } }
    }

    /// Whether the kernel does not tell this process of all that happens: then it must look by itself.
    var isDeaf: Bool { state.withLock { $0.isListening && ($0.watch == nil || !FileWatch.hearsClosing) } }

    /// Begins to listen; returns whether it has only now begun.
    @discardableResult
    func listen() -> Bool {
        let (hasBegun, watch) = state.withLock { state -> (Bool, FileWatch?) in
            guard !state.isListening else { return (false, nil) }
            state.isListening = true
            state.watch = FileWatch("\(folder)/\(member)", closing: slots)
            return (true, state.watch)
        }
        watch?.tell { [weak self] in self?.heard($0) }
        return hasBegun
    }

    /// Wakes another member.
    func ring(_ other: Int) {
        let descriptor = state.withLock { state -> Int32 in
            if let descriptor = state.others[other] { return descriptor }
            let descriptor = (try? RegularFile.open("\(folder)/\(other)", O_WRONLY)) ?? -1
            if descriptor >= 0 { state.others[other] = descriptor }
            return descriptor
        }
        FileWatch.ring(descriptor)
    }

    private func heard(_ sounds: FileWatch.Heard) {
        guard let heard else { return }
        if sounds.wasRung { heard(.rung) }
        if sounds.wasClosed { heard(.closed) }
    }
}
