import CLibrary

/// A bell by name: whoever rings it wakes those processes of this host that wait for it, with no daemon between them.
///
/// It is a file in the state folder that the kernel watches for them (inotify). What was rung since the last wait is not
/// lost. A host that gives no watch (`fs.inotify.max_user_instances`) has deaf listeners: they wait for their deadline. On
/// systems other than Linux a listener looks at the file a hundred times a second.
public final class HostBell: Sendable {
    private let watch: FileWatch?

    /// Begins to listen.
    ///
    /// - Parameters:
    ///   - name: The bell's name: letters, digits, `_`, `-` and `.`, at most 100 of them.
    ///   - stateFolder: The folder that all who share the bell use; `nil` takes the usual one.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` for a name that cannot be used, or `stateFolderUnusable`.
    public init(_ name: String, stateFolder: String? = nil) throws {
        try Waiting.start()
        let path = try Self.path(name, stateFolder)
        close(try StateFolder.openShared(path))
        watch = FileWatch(path)
    }

    /// Wakes those who wait for a bell, or will look at it next.
    ///
    /// - Parameters:
    ///   - name: The bell's name.
    ///   - stateFolder: The folder that all who share the bell use; `nil` takes the usual one.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` or `stateFolderUnusable`.
    public static func ring(_ name: String, stateFolder: String? = nil) throws {
        let bell = try StateFolder.openShared(try path(name, stateFolder))
        defer { close(bell) }
        FileWatch.ring(bell)
    }

    /// Waits until the bell is rung, at no cost.
    ///
    /// - Parameter deadline: When to give up.
    /// - Returns: Whether it was rung.
    /// - Throws: `CancellationError` when cancelled.
    public func wait(until deadline: ContinuousClock.Instant) async throws -> Bool {
        let outcome =
            if let watch {
                await watch.wait(until: deadline)
            } else {
                await Waiting.shared.reserve().wait(until: deadline, cancellable: true)
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
