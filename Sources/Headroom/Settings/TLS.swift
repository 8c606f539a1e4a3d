/// Says whether the connection is encrypted and how far the server's certificate is checked.
public struct TLS: Hashable, Sendable {
    /// How much encryption is asked for; the words are MySQL's.
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Never encrypts.
        case disabled
        /// Encrypts when the server offers it, without checking who it is.
        case preferred
        /// Encrypts or fails, without checking who the server is.
        case required
        /// Encrypts, and fails unless a known authority has signed the server's certificate.
        case verifyCA = "verify_ca"
        /// Encrypts, and fails unless the certificate is signed and carries the host's name.
        case verifyIdentity = "verify_identity"
    }

    /// How much encryption is asked for.
    public var mode: Mode

    /// The file (or folder of hashed certificates) with the authorities to trust; `nil` trusts the system's.
    public var authorities: String?

    /// The keys of which the server's certificate must have one; none by default.
    ///
    /// Each is `sha256//` and the base 64 of the SHA-256 of the public key. With any, connections are encrypted or fail.
    public var pins: [String] = []

    /// The file with this client's certificate (PEM), for an account that must show one; `nil`, the default, shows none.
    public var certificate: String?

    /// The file with the certificate's key (PEM); `nil`, the default, looks in the certificate's file.
    public var key: String?

    /// The file with the server's public key (PEM) that passwords may be encrypted with where there is no TLS; `nil`, the
    /// default, has the server send it, and remembers it.
    public var serverPublicKey: String?

    /// Creates TLS settings.
    public init(mode: Mode, authorities: String? = nil) {
        self.mode = mode
        self.authorities = authorities
    }
}

extension TLS.Mode {
    /// Whether connections are encrypted without a look at the server's certificate.
    var acceptsAnyCertificate: Bool { self == .preferred || self == .required }

    /// How much the mode asks for, compared with the others.
    var strength: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
