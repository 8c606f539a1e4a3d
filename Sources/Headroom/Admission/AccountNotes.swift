import CLibrary

/// Keeps a text about an account in the state folder, for the time when the account lets nobody in.
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
