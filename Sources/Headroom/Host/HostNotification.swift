import CLibrary

/// A notification by name: a post wakes the processes of this host that wait for it, with no daemon between them.
///
/// It is a file in the state folder that the kernel watches (inotify). A post since the last wait is not lost. Where the host
/// gives no watch (`fs.inotify.max_user_instances`), a wait ends at its deadline only. On systems other than Linux the file
/// is read a hundred times a second.
public final class HostNotification: Sendable {
    private let watch: FileWatch?

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - name: The notification's name: letters, digits, `_`, `-` and `.`, at most 100 of them.
    ///   - stateFolder: The folder that all its processes use; `nil` takes the usual one.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` for a name that cannot be used, or `stateFolderUnusable`.
    public init(_ name: String, stateFolder: String? = nil) throws {
        try EventLoop.start()
        let path = try Self.path(name, stateFolder)
        close(try StateFolder.openShared(path))
        watch = FileWatch(path)
    }

    /// Wakes the processes that wait for a notification; one that waits next is woken at once.
    ///
    /// - Parameters:
    ///   - name: The notification's name.
    ///   - stateFolder: The folder that all its processes use; `nil` takes the usual one.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` or `stateFolderUnusable`.
    public static func post(_ name: String, stateFolder: String? = nil) throws {
        let file = try StateFolder.openShared(try path(name, stateFolder))
        defer { close(file) }
        FileWatch.post(file)
    }

    /// Waits for a post; costs nothing meanwhile.
    ///
    /// - Parameter deadline: When to give up.
    /// - Returns: Whether there was one.
    /// - Throws: `CancellationError` when cancelled.
    public func wait(until deadline: ContinuousClock.Instant) async throws -> Bool {
        let outcome =
            if let watch {
                await watch.wait(until: deadline)
            } else {
                await EventLoop.shared.reserve().wait(until: deadline, cancellable: true)
            }
        switch outcome {
        case .cancelled: throw CancellationError()
        case .deadlinePassed: return false
        case .ready: return true
        }
    }

    private static func path(_ name: String, _ stateFolder: String?) throws -> String {
        try HostLock.check(name)
        return try StateFolder(stateFolder).folder("bells") + "/\(name)"
    }
}
