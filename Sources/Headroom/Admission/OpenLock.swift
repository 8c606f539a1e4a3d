import CLibrary

/// A lock on a file of its own, held for as long as this exists; the kernel drops it when the process ends.
final class OpenLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, or returns `nil` when another process has it.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init?(path: String) throws {
        descriptor = try StateFolder.openShared(path)
        // Closed by `deinit` also when this fails, as everything has its value by now.
        if kernel_try_lock_byte(descriptor, 0) != 0 { return nil }
    }

    deinit {
        close(descriptor)
    }
}
