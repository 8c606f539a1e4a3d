import CLibrary
import Synchronization

/// A lock by name that one process of this host has at a time; the kernel drops it when the process ends, also by kill -9.
///
/// Children of the process do not inherit it, but for one that is started with ``inheritable``. It is a lock on this host only, and only among those who use the same state
/// folder.
public final class HostLock: Sendable {
    /// The lock's name.
    public let name: String

    private let descriptor: Int32
    private var isHeld: Bool { held.load(ordering: .relaxed) }
    private let held = Atomic(false)

    private init(name: String, descriptor: Int32) {
        self.name = name
        self.descriptor = descriptor
    }

    deinit {
        if isHeld {
            note(Holder())
            // A program that has inherited it may run on, and no longer be what it was for.
            _ = kernel_unlock_byte(descriptor, Self.byte)
        }
        close(descriptor)
    }

    /// The byte that is locked: behind the record of who has the lock, so that this can be read.
    static let byte: Int64 = 1 << 24

    /// Waits for a lock, and notes in it who has it.
    ///
    /// - Parameters:
    ///   - name: The lock's name: letters, digits, `_`, `-` and `.`, at most 100 of them.
    ///   - stateFolder: The folder that all who share the lock use; `nil` takes the usual one
    ///     (``DatabaseSettings/stateFolder``).
    ///   - program: The program that wants it, shown with the lock.
    ///   - label: What it is wanted for.
    ///   - timeout: How long to wait; zero tries once.
    /// - Returns: The lock, which is held for as long as it is referred to.
    /// - Throws: ``DatabaseError`` with `lockTaken` when another process has it to the end, `settingsInvalid` for a name
    ///   that cannot be used, `stateFolderUnusable`; `CancellationError` when cancelled.
    public static func acquire(
        _ name: String,
        stateFolder: String? = nil,
        program: String,
        label: String = "",
        timeout: Duration
    ) async throws -> HostLock {
        try check(name)
        try EventLoop.start()
        let path = try StateFolder(stateFolder).folder("locks") + "/\(name).lock"
        let lock = HostLock(name: name, descriptor: try StateFolder.openLockable(path))
        if !lock.take(command: kernel_try_lock_byte) {
            let isOurs = timeout > .zero ? try await lock.wait(timeout) : try await lock.takeUnlessNoted()
            guard isOurs else { throw lock.taken(after: timeout) }
        }
        var holder = Holder.thisProcess(program: program, label: label, site: "")
        holder.state = .program
        holder.since = Slot.now
        lock.note(holder)
        lock.held.store(true, ordering: .relaxed)
        return lock
    }

    /// The descriptor that holds the lock: a child that has it too keeps the lock when this process is killed.
    package var inheritable: Int32 { descriptor }

    /// Notes that a child has the lock from now on.
    package func hand(to child: Int32) {
        var holder = Self.holder(descriptor)
        holder.hand(to: child)
        note(holder)
    }

    /// Writes down who has the lock.
    private func note(_ holder: Holder) {
        holder.withBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
    }

    /// Waits a moment until the lock's holder has written its note; returns whether the lock came free instead.
    ///
    /// Of several that start at the same moment one has it, and for a moment the note is still its predecessor's.
    private func takeUnlessNoted() async throws -> Bool {
        for _ in 0..<100 {
            let holder = Self.holder(descriptor)
            if holder.processID != 0, Holder.start(of: holder.processID) == holder.processStart { return false }
            try await Task.sleep(for: .milliseconds(1))
            if take(command: kernel_try_lock_byte) { return true }
        }
        return false
    }

    /// Throws when a name cannot be that of a file.
    static func check(_ name: String) throws {
        guard !name.isEmpty, name.utf8.count <= 100, !name.begins(with: "."), name.isAll(\.isNameSign) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "'\(name)' cannot be the name of a lock or signal.",
                advice: "Use letters, digits, '_', '-' and '.', at most 100, and no '.' in front."
            )
        }
    }

    private func take(command: (Int32, Int64) -> Int32) -> Bool {
        while true {
            if command(descriptor, Self.byte) == 0 { return true }
            guard errno == EINTR else { return false }
        }
    }

    /// Sleeps in the kernel until the lock is free, on a thread of its own; first come, first served (on Linux).
    private func wait(_ timeout: Duration) async throws -> Bool {
        do throws(Interruption) {
            let isTaken = try await onOwnThread(named: "headroom-lock", limits: Limits(deadline: .now + timeout)) {
                [self] in
                take(command: kernel_wait_lock_byte)
            } discard: { [self] _ in
                // It came too late: the caller has given up.
                _ = kernel_unlock_byte(descriptor, Self.byte)
            }
            return isTaken
        } catch .cancelled {
            throw CancellationError()
        } catch .exhausted(let error) {
            throw error
        } catch {
            return false
        }
    }

    /// Who has the lock of an open file, as its holder wrote down.
    static func holder(_ descriptor: Int32) -> Holder {
        withUnsafeTemporaryAllocation(byteCount: Holder.size, alignment: 8) { buffer in
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
            _ = pread(descriptor, buffer.baseAddress, Holder.size, 0)
            return Holder(bytes: UnsafeRawBufferPointer(buffer))
        }
    }

    private func taken(after timeout: Duration) -> DatabaseError {
        let holder = Self.holder(descriptor)
        return DatabaseError(
            .lockTaken,
            message: "The lock '\(name)' is held by \(holder.words(holder.label)), "
                + "for \(holder.age.components.seconds) s now.",
            advice: timeout > .zero
                ? "It was waited for, for \(timeout.components.seconds) s." : "Wait for it with --wait SECONDS."
        )
    }
}
