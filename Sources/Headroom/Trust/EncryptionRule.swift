/// Decides what becomes of a connect once the server's greeting says whether it offers encryption.
///
/// libmariadb 3.3 goes on in plain text when TLS was asked for and the server offers none, whatever the mode but for
/// verify_identity. So the greeting is judged before the library sees it, and before a byte is sent.
struct EncryptionRule {
    /// What the settings say.
    let mode: TLS.Mode

    /// Whether the server's key is pinned, which says as much as a mode that insists.
    var isPinned = false

    /// Whether the key would be seen in the handshake: another TLS library than OpenSSL shows none to compare the pin with.
    var seesKeys = true

    /// Whether this attempt has asked the library for encryption.
    let isAskedFor: Bool

    /// How the connect goes on.
    enum Verdict {
        /// As it is.
        case proceed
        /// Not at all: the settings insist on encryption.
        case refuse
        /// Not at all: no server greets like this.
        case refuseGreeting
        /// From the beginning, encrypted: the server did not offer it the last time and does now.
        case startOver
    }

    /// Judges the connect.
    ///
    /// - Parameter greeting: What the server's first packet is.
    /// - Returns: How it goes on; `nil` before all of the packet has come.
    func verdict(_ greeting: Greeting.Finding) -> Verdict? {
        switch greeting {
        case .incomplete: nil
        case .impossible: .refuseGreeting
        case .refusal: .proceed
        case .offer where mode == .disabled: isPinned ? .refuse : .proceed
        case .offer where isPinned && !seesKeys: .refuse
        case .offer(isEncrypted: true, _): isAskedFor ? .proceed : .startOver
        case .offer(isEncrypted: false, _): mode == .preferred && !isPinned ? .proceed : .refuse
        }
    }
}
