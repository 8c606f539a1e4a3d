import CLibrary

/// Remembers, for all processes of this host, which account the settings of a connection lead to.
///
/// An account is what the server says it is: a socket and a TCP setting may lead to the same one or to two, and only a
/// login tells. So the first login is made under a lock, and what it has found stays in the state folder: a file for each
/// place and user name, with the name of the account's folder.
struct AccountDirectory: Sendable {
    let folder: StateFolder

    /// Returns the folder of the account that the settings are known to lead to.
    func account(of settings: DatabaseSettings) -> String? {
        guard let name = Self.text(page(settings)), Self.isName(name) else { return nil }
        let path = "\(folder.path)/accounts/\(name)"
        return SettingsFile.exists(path) ? path : nil
    }

    /// Why what is noted of the settings cannot be read; `nil` when nothing is noted.
    func obstacle(to settings: DatabaseSettings) -> DatabaseError? {
        let page = page(settings)
        do throws(RegularFile.Problem) {
            _ = try RegularFile.read(page, atMost: Self.mostText)
            return nil
        } catch {
            return error == .system(ENOENT) ? nil : StateFolder.unusable(page, error, "to be read")
        }
    }

    /// Returns the folder of an account; makes it first when there is none.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func folder(of facts: AccountFacts) throws -> String {
        let identity = "\(facts.account) on \(facts.server)"
        let user = facts.account.keeping(\.isNameSign).prefix(32)
        let name = "\(user)-\(Self.digest(identity))"
        let path = try folder.folder("accounts/\(name)")
        try Self.replace("\(path)/account", with: identity + "\n")
        return path
    }

    /// Notes that the settings lead to the account with this folder, for all processes to find.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func note(_ path: String, for settings: DatabaseSettings) throws {
        _ = try folder.folder("settings")
        try Self.replace(
            page(settings),
            with: String(path[(path.unicodeScalars.lastIndex(of: "/") ?? path.startIndex)...].dropFirst())
        )
    }

    /// Takes the right to make the first login, which one process of the host has at a time; `nil` when another has it.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    func tryLock() throws -> FileLock? {
        try FileLock(path: folder.folder("settings") + "/lock")
    }

    private func page(_ settings: DatabaseSettings) -> String {
        "\(folder.path)/settings/\(Self.digest("\(settings.username) at \(settings.endpoint)"))"
    }

    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && !name.holds("/") && name != ".." && name != "."
    }

    /// 64 bits of FNV-1a: short and the same in every process, as Swift's own hashes are not.
    static func digest(_ text: String) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Puts a whole file in the place of the old one, so that no reader sees half of it.
    static func replace(_ path: String, with text: String) throws {
        if Self.text(path) == text { return }
        do throws(RegularFile.Problem) {
            try RegularFile.write(path, text, mode: 0o660)
        } catch {
            throw StateFolder.unusable(path, error, "to be written")
        }
    }

    /// The text of a file of the state folder; `nil` when there is none that can be read.
    static func text(_ path: String) -> String? {
        (try? RegularFile.read(path, atMost: mostText)).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The most bytes of a text: a snapshot's sessions have a few hundred each.
    private static let mostText = 1 << 20
}

/// A lock on a file of its own, held for as long as this exists; the kernel drops it when the process ends.
final class FileLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, or returns `nil` when another process has it.
    ///
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    init?(path: String) throws {
        descriptor = try StateFolder.openLockable(path)
        // Closed by `deinit` also when this fails, as everything has its value by now.
        if kernel_try_lock_byte(descriptor, 0) != 0 { return nil }
        // In an empty file each further opener would look through all processes for one that was removed from there.
        var mark = UInt8(ascii: "\n")
        _ = pwrite(descriptor, &mark, 1, 0)
    }

    deinit {
        close(descriptor)
    }
}

/// Keeps a text about an account in the state folder, for the time when the account lets no one in.
///
/// It is found by the settings alone, as nothing can be asked then.
public struct AccountNotes: Sendable {
    private let folder: StateFolder
    private let name: String

    /// Creates a memory for the account that the settings lead to.
    ///
    /// - Parameters:
    ///   - settings: The settings.
    ///   - topic: What is remembered, as a part of the file's name.
    public init(_ settings: DatabaseSettings, topic: String) {
        folder = StateFolder(settings.stateFolder)
        name = "\(topic)-\(AccountDirectory.digest("\(settings.username) at \(settings.endpoint)"))"
    }

    /// The text that was kept last; `nil` when there is none.
    public var text: String? { AccountDirectory.text("\(folder.path)/memory/\(name)") }

    /// Keeps a text in the place of the old one.
    ///
    /// - Parameter text: The text.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    public func keep(_ text: String) throws {
        try AccountDirectory.replace("\(folder.folder("memory"))/\(name)", with: text)
    }

    /// The name of the account's topic, which no other account of this host has; it can be that of a lock.
    package var topicName: String { name }

    /// The path of a file of the topic that is kept by other means, in a folder that is there afterwards.
    ///
    /// On a host with the package it outlives a restart of the machine.
    ///
    /// - Parameter ending: How the file's name ends.
    /// - Returns: The path.
    /// - Throws: ``DatabaseError`` with `stateFolderUnusable`.
    package func path(ending: String) throws -> String {
        try "\(folder.lasting.folder("memory"))/\(name)\(ending)"
    }
}
