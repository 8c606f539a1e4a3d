import CLibrary

/// A lock by name that a process of this host has at this moment.
public struct HostLockReport: Sendable, Hashable {
    /// The lock's name.
    public var name: String

    /// Who has it, as that process wrote down.
    public var holder: Holder

    /// Looks for the locks that are held; takes none and waits for none.
    ///
    /// - Parameter stateFolder: The folder that all who share the locks use; `nil` takes the usual one.
    /// - Returns: The locks that are held, by their names.
    public static func held(stateFolder: String? = nil) -> [HostLockReport] {
        let folder = StateFolder(stateFolder).path + "/locks"
        let paths = (try? SettingsFile.list(folder, ending: ".lock")) ?? []
        return paths.compactMap { path in
            // Read only, as a guest: asking whether a lock is held changes nothing.
            guard let descriptor = try? RegularFile.open(path, O_RDONLY) else { return nil }
            defer { close(descriptor) }
            guard kernel_is_byte_locked(descriptor, HostLock.byte) == 1 else { return nil }
            let name = path.pieces(separator: "/").last?.dropLast(".lock".count) ?? ""
            return HostLockReport(name: String(name), holder: HostLock.holder(descriptor))
        }
    }
}
