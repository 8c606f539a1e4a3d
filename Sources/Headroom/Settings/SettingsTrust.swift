import CLibrary

/// How far a source of settings is trusted, the least first.
package enum SettingsTrust: Int, Sendable, Hashable, Comparable, CaseIterable {
    /// A file that nobody named and that another user may have written, such as `.env` in a folder of somebody's.
    case foreign
    /// A file that nobody named, and that only its reader or root can have written.
    case own
    /// What the user said: flags, the environment, systemd's credentials, a file that was named; also the own `~/.my.cnf`.
    case said

    package static func < (left: SettingsTrust, right: SettingsTrust) -> Bool { left.rawValue < right.rawValue }

    /// Decides whether a source may give a setting's value.
    ///
    /// - Parameters:
    ///   - setting: How far the setting must be trusted.
    ///   - password: How far the source of the password is trusted that the setting would lead somewhere; `nil` without one.
    /// - Returns: Whether the value counts.
    package func mayGive(_ setting: Setting.Trust, toPasswordFrom password: SettingsTrust?) -> Bool {
        switch setting {
        case .harmless: true
        // The user's own file is as good as the user's word here: whoever can write it can read the password's source as well.
        case .place: self >= min(password ?? .foreign, .own)
        case .pathOrCommand: self == .said
        }
    }
}

extension Setting {
    /// From which sources a setting's value counts, with the reason.
    ///
    /// A new setting has to say: what could whoever can put a file into a folder do with it, once root runs Headroom there?
    package enum Trust: Sendable, Hashable {
        /// From any file: the worst that it can do is that Headroom does not work in that folder.
        case harmless(String)
        /// From a file that nobody named only for a password that is trusted no more: it says where a password goes, or how
        /// well it is guarded on the way.
        case place(String)
        /// Never from a file that nobody named: it starts a program, opens a file, sends something somewhere or lets
        /// somebody in.
        case pathOrCommand(String)

        /// The reason, as it goes after a colon.
        package var reason: String {
            switch self {
            case .harmless(let reason), .place(let reason), .pathOrCommand(let reason): reason
            }
        }

        /// What holds for a `.env` that was found, in a few words.
        package var words: String {
            switch self {
            case .harmless: "yes"
            case .place: "with its password"
            case .pathOrCommand: "no"
            }
        }

        /// What holds for a file that holds a secret: it is opened, and its first line goes to a server.
        static let secretFile = Trust.pathOrCommand("it names a file whose content is sent to a server")
    }
}

/// Who may have written a file: to the file itself, or another one, or a link, into its place.
enum FileWriters {
    /// Says why somebody else than a user or root may have written a file; `nil` when nobody else can have.
    ///
    /// - Parameters:
    ///   - steps: The way to the file.
    ///   - user: The user who reads the file.
    /// - Returns: The reason in words.
    static func stranger(on steps: [PathStep], to user: UInt32) -> String? {
        for step in steps {
            guard step.isLast else {
                if step.isPlaced(byFolderOr: { $0 == user || $0 == 0 }) { continue }
                return "\(step.path), on the way to it, belongs to user \(step.entry.owner)"
            }
            if let other = step.entry.stranger("the file", to: user) { return other }
            if let other = step.folder.stranger("its folder", to: user) { return other }
        }
        return nil
    }
}
