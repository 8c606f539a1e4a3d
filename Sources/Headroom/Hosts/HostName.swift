import CLibrary

/// What tells a host from every other that uses an account, since it was started.
///
/// A word in the account's folder, which all processes of the host share, and the run of the machine: a copy of the folder on
/// another machine is another host.
struct HostName: Sendable, Hashable {
    /// 16 hexadecimal digits.
    let identity: String

    /// The machine's name, for people.
    let words: String

    /// Reads the folder's word, or makes one.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init(folder: String) throws {
        let path = "\(folder)/host"
        if !SettingsFile.exists(path) {
            let draft = "\(path).\(getpid()).\(UInt64.random(in: 0...(.max)))"
            try AccountBook.replace(draft, with: String(UInt64.random(in: 0...(.max)), radix: 16) + "\n")
            defer { unlink(draft) }
            // Not over another process's: the first word that is there stays.
            guard link(draft, path) == 0 || errno == EEXIST else {
                throw StateFolder.unusable(path, errno, "to be made")
            }
        }
        let word = try SettingsFile.read(path)
        identity = AccountBook.digest(word + Machine.bootID)
        var name = utsname()
        uname(&name)
        words = withUnsafeBytes(of: &name.nodename) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}
