import CLinux
import Glibc

/// How the members of an account wake each other, with no daemon between them.
///
/// Each member has a file of its own, `wake/N`, which the kernel watches for it (inotify): whoever writes into it wakes the
/// member, and nobody else. The slot file is watched for being closed: that is what a process does last, also one that is
/// killed with -9. Nothing is watched before somebody waits.
final class Bell: Sendable {
    /// What a member hears.
    enum Sound: Sendable {
        /// Another member rang.
        case rung
        /// A process has closed the slot file, most likely by ending.
        case closed
    }

    private struct State {
        var inotify: Int32 = -1
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
            if state.inotify >= 0 { close(state.inotify) }
        }
    }

    /// What is run on the waiting thread when the member hears something.
    var heard: (@Sendable (Sound) -> Void)? {
        get { state.withLock(\.heard) }
        set { state.withLock { $0.heard = newValue } }
    }

    /// Whether the kernel gives this process no watch (`fs.inotify.max_user_instances`): then it must look by itself.
    var isDeaf: Bool { state.withLock { $0.isListening && $0.inotify < 0 } }

    /// Begins to listen; returns whether it has only now begun.
    @discardableResult
    func listen() -> Bool {
        var hasBegun = false
        let inotify = state.withLock { state -> Int32 in
            guard !state.isListening else { return -1 }
            state.isListening = true
            hasBegun = true
            let inotify = inotify_init1(Int32(IN_CLOEXEC | IN_NONBLOCK))
            guard inotify >= 0 else { return -1 }
            guard inotify_add_watch(inotify, "\(folder)/\(member)", UInt32(IN_MODIFY)) >= 0,
                inotify_add_watch(inotify, slots, UInt32(IN_CLOSE_WRITE)) >= 0
            else {
                close(inotify)
                return -1
            }
            state.inotify = inotify
            return inotify
        }
        if inotify >= 0 { Waiting.shared.watch(inotify) { [weak self] in self?.collect(inotify) } }
        return hasBegun
    }

    /// Wakes another member.
    func ring(_ other: Int) {
        let descriptor = state.withLock { state -> Int32 in
            if let descriptor = state.others[other] { return descriptor }
            let descriptor = open("\(folder)/\(other)", O_WRONLY | O_CLOEXEC | O_NOFOLLOW)
            if descriptor >= 0 { state.others[other] = descriptor }
            return descriptor
        }
        var byte: UInt8 = 1
        _ = pwrite(descriptor, &byte, 1, 0)
    }

    private func collect(_ inotify: Int32) {
        var wasRung = false
        var wasClosed = false
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 8) { buffer in
            while case let count = read(inotify, buffer.baseAddress, buffer.count), count > 0 {
                var offset = 0
                while offset + MemoryLayout<inotify_event>.size <= count {
                    let event = buffer.load(fromByteOffset: offset, as: inotify_event.self)
                    if event.mask & UInt32(IN_MODIFY) != 0 { wasRung = true }
                    // A queue that has run over has lost we know not what.
                    if event.mask & UInt32(IN_CLOSE_WRITE | IN_Q_OVERFLOW) != 0 { wasClosed = true }
                    offset += MemoryLayout<inotify_event>.size + Int(event.len)
                }
            }
        }
        guard let heard else { return }
        if wasRung { heard(.rung) }
        if wasClosed { heard(.closed) }
    }
}
