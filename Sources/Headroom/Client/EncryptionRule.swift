/// Decides what becomes of a connect once the server's greeting says whether it offers encryption.
///
/// libmariadb 3.3 goes on in plain text when TLS was asked for and the server offers none, and its plug-in for MySQL's
/// caching_sha2_password takes the asking for the having: it then sends the bare password (seen on the wire). The greeting
/// comes two steps before that, so the connect is looked at in between (``FirstWord``).
struct EncryptionRule {
    /// What the settings say.
    let mode: TLS.Mode

    /// Whether this attempt has asked the library for encryption.
    let isAskedFor: Bool

    /// How the connect goes on.
    enum Verdict {
        /// As it is.
        case proceed
        /// In plain text, and the library is told that it is.
        case withdraw
        /// Not at all: the settings insist on encryption.
        case refuse
        /// From the beginning, encrypted: the server did not offer it the last time and does now.
        case startOver

        /// Whether this attempt ends here.
        var endsConnect: Bool { self == .refuse || self == .startOver }
    }

    /// Judges the connect.
    ///
    /// - Parameter isOffered: Whether the server offers encryption; `nil` before it has greeted.
    /// - Returns: How it goes on.
    func verdict(isOffered: Bool?) -> Verdict {
        guard mode != .disabled, let isOffered, isOffered != isAskedFor else { return .proceed }
        if isOffered { return .startOver }
        return mode == .preferred ? .withdraw : .refuse
    }
}
