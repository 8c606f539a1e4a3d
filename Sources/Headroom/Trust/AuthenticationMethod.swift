/// The ways to log in that a server may ask for, under the names of their plug-ins; it gets no other.
///
/// Not among them: mysql_old_password, whose scramble gives the password away to a reader of two of them.
enum AuthenticationMethod: String, CaseIterable {
    /// A scramble.
    case native = "mysql_native_password"
    /// A signature.
    case ed25519 = "client_ed25519"
    /// A signature.
    case parsec
    /// A ticket; no password.
    case kerberos = "auth_gssapi_client"
    /// A scramble; where the server has not kept the password's hash, the password itself.
    case cachingSHA2 = "caching_sha2_password"
    /// The password itself.
    case sha256 = "sha256_password"
    /// The password itself, as it is.
    case clear = "mysql_clear_password"
    /// The password itself, as it is, to a module of PAM.
    case dialog

    /// Who may have what it sends.
    enum Audience {
        /// Any server: what it sends is of no use elsewhere, but to guess by.
        case anyone
        /// A server with leave to have the password: ``SHA2Authentication`` asks for it.
        case trusted
        /// A server that was verified before: a person has no say in it.
        case verified
        /// The server at a unix socket only: the library's plug-in prints what the server says, and reads the terminal.
        case local
    }

    var audience: Audience {
        switch self {
        case .native, .ed25519, .parsec, .kerberos: .anyone
        case .cachingSHA2, .sha256: .trusted
        case .clear: .verified
        case .dialog: .local
        }
    }

    /// Whether the first thing that it sends is of no use to others.
    var beginsWithProof: Bool { audience == .anyone || self == .cachingSHA2 }

    private static let forAnyone = names([.anyone, .trusted])
    private static let forVerified = names([.anyone, .trusted, .verified])
    private static let forLocal = names([.anyone, .trusted, .verified, .local])

    /// The names of those that a server may ask for, as the library wants them.
    ///
    /// - Parameters:
    ///   - isVerified: Whether only the right server can be at the other end.
    ///   - isLocal: Whether that is a unix socket that no other user can have put there.
    /// - Returns: The names, with commas between.
    static func allowed(isVerified: Bool, isLocal: Bool) -> String {
        isLocal ? forLocal : isVerified ? forVerified : forAnyone
    }

    private static func names(_ audiences: [Audience]) -> String {
        allCases.filter { audiences.contains($0.audience) }.map(\.rawValue).joined(separator: ",")
    }
}
