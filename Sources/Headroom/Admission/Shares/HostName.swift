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
        do throws(RegularFile.Problem) {
            // Not over another process's: the first word that is there stays.
            let new = String(UInt64.random(in: 0...(.max)), radix: 16) + "\n"
            if access(path, F_OK) != 0 { try RegularFile.write(path, new, mode: 0o660, earlier: .kept) }
            let word = String(decoding: try RegularFile.read(path, atMost: 1024), as: UTF8.self)
            identity = AccountDirectory.digest(word + Machine.bootID)
        } catch {
            throw StateFolder.unusable(path, error, "to be used")
        }
        var name = utsname()
        uname(&name)
        words = withUnsafeBytes(of: &name.nodename) { bytes in String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

/// A moment on the host's clock, which its processes share, and which goes on while the machine sleeps.
struct HostMoment: Sendable, Hashable {
    /// In nanoseconds since the machine was started.
    var time: UInt64

    /// What tells this run of the machine from every other; the clock begins anew with each.
    var boot: UInt32

    /// This moment.
    static var now: HostMoment { HostMoment(time: UInt64(kernel_uptime()), boot: thisBoot) }

    private static let thisBoot = UInt32(
        truncatingIfNeeded: Machine.bootID.utf8.reduce(5381 as UInt64) { $0 &* 33 &+ UInt64($1) }
    )
}
