import FoundationEssentials
import Headroom

/// Who may sign in: the users of a file, a token, or both.
package struct Credentials: Sendable {
    /// The users' passwords.
    private var users: [String: Password] = [:]

    /// The token, which programs send with each request, and with which a person may sign in as well.
    private let token: String?

    /// The token that opens the metrics and nothing else.
    private let metricsToken: String?

    /// What is checked when there is no such user, so that the time taken does not tell which names exist.
    private let decoy: Password?

    /// Creates credentials.
    ///
    /// - Parameters:
    ///   - users: The content of a user file: a `name:hash` a line; empty lines and those with `#` in front are left out.
    ///   - token: The token, of at least 16 characters.
    ///   - metricsToken: One that opens the metrics and nothing else, of at least 16 characters too.
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    package init(users: String? = nil, token: String? = nil, metricsToken: String? = nil) throws {
        self.token = token
        self.metricsToken = metricsToken
        for token in [token, metricsToken].compactMap(\.self) where token.utf8.count < 16 {
            throw Self.invalid("The dashboard's token is too short.", "Take one of 16 characters or more.")
        }
        for (number, line) in (users ?? "").pieces(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = line.dropping { $0 == " " }
            guard !line.isEmpty, !line.begins(with: "#") else { continue }
            guard let colon = line.unicodeScalars.firstIndex(of: ":"), colon > line.startIndex,
                let password = Password(
                    String(line[line.unicodeScalars.index(after: colon)...].leading { !$0.isBlank })
                )
            else {
                throw Self.invalid(
                    "Line \(number + 1) of the user file is not 'name:hash'.",
                    "Add users with: headroom serve --user-file FILE --add-user NAME"
                )
            }
            self.users[String(line[..<colon])] = password
        }
        decoy = self.users.values.first
    }

    /// Whether there is a file of users.
    package var hasUsers: Bool { !users.isEmpty }

    /// Whether the file of users has that name.
    func hasUser(_ name: String) -> Bool { users[name] != nil }

    /// Whether there is a token.
    package var hasToken: Bool { token != nil }

    /// Who signs in with a name and a password, or with the token in the password's place; `nil` when nobody may.
    package func user(name: String, password: String) async -> String? {
        if isToken(password) { return name.isEmpty ? "token" : name }
        let known = users[name]
        guard let password = await (known ?? decoy)?.matches(password), known != nil, password else { return nil }
        return name
    }

    /// Whether that is the token.
    package func isToken(_ text: String) -> Bool { token.map { Secret.areEqual($0, text) } ?? false }

    /// Whether that is the token for the metrics.
    func isMetricsToken(_ text: String) -> Bool { metricsToken.map { Secret.areEqual($0, text) } ?? false }

    /// A line of a user file.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` for a name that cannot stand there.
    package static func line(name: String, password: String) async throws -> String {
        guard !name.isEmpty, name.utf8.count <= 64,
            name.isAll({ $0 != ":" && $0 != "#" && !$0.properties.isWhitespace && $0.value >= 0x20 })
        else { throw invalid("'\(name)' cannot be a user's name.", "Take one without spaces, colons and #.") }
        guard password.count >= 8 else {
            throw invalid("The password is too short.", "Take one of 8 characters or more.")
        }
        return "\(name):\(try await Password.hashed(password).text)\n"
    }

    private static func invalid(_ message: String, _ advice: String) -> DatabaseError {
        DatabaseError(.settingsInvalid, message: message, advice: advice)
    }
}

/// Makes tokens.
package enum RandomToken {
    /// A token that nobody can guess: 32 characters.
    package static func make() -> String { Secret.text(bytes: 16) }
}
