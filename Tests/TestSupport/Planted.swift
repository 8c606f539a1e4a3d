import Glibc

/// Something that another user could put in the place of a file.
public enum Planted: String, CaseIterable, Sendable {
    case link, linkToDevice, danglingLink, fifo, folder, socket, device

    /// Puts it there; returns false where that takes root.
    ///
    /// - Parameters:
    ///   - path: Where.
    ///   - other: What a link leads to.
    /// - Returns: Whether it is there.
    public func plant(_ path: String, beside other: String) -> Bool {
        switch self {
        case .link: symlink(other, path) == 0
        case .linkToDevice: symlink("/dev/zero", path) == 0
        case .danglingLink: symlink("\(other).none", path) == 0
        case .fifo: mkfifo(path, 0o666) == 0
        case .folder: mkdir(path, 0o755) == 0
        // /dev/zero: number 5 of the kind 1.
        case .device: mknod(path, S_IFCHR | 0o666, 1 << 8 | 5) == 0
        case .socket: mknod(path, S_IFSOCK | 0o666, 0) == 0
        }
    }
}
