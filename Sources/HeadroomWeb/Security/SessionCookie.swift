import Crypto
import Headroom

/// Makes and reads the cookies of those who have signed in: who, until when, and a signature.
///
/// The key lives as long as the program: a restart signs everybody out.
struct SessionCookie: Sendable {
    /// The cookie's name.
    static let name = "headroom_session"

    /// How long a session lasts.
    static let life = 12 * 3600

    /// Somebody who has signed in.
    struct Session: Sendable, Equatable {
        /// The name.
        var user: String
        /// Until when, in seconds since 1970.
        var expires: Int
        /// What tells this session from others of the same name.
        var id: String
    }

    private let key: SymmetricKey

    init(key: [UInt8] = Secret.random(count: 32)) {
        self.key = SymmetricKey(data: key)
    }

    /// Begins a session.
    func begin(_ user: String, at now: Int) -> Session {
        Session(user: user, expires: now + Self.life, id: Secret.text(bytes: 16))
    }

    /// The cookie's value.
    func value(of session: Session) -> String {
        let content = "\(Secret.hex(session.user.utf8)).\(session.expires).\(session.id)"
        return "\(content).\(signature("session", content))"
    }

    /// The session of a cookie; `nil` when it was not signed here, or is over.
    func session(_ value: String, at now: Int) -> Session? {
        let parts = value.pieces(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 4,
            Secret.areEqual(signature("session", parts[0...2].joined(separator: ".")), parts[3]),
            let expires = Int(parts[1]), expires > now, let user = Self.text(hex: parts[0])
        else { return nil }
        return Session(user: user, expires: expires, id: parts[2])
    }

    /// What a form of this session must carry, so that no other site can send it.
    func formToken(_ session: Session) -> String { signature("form", session.id) }

    /// Whether a form was made for this session.
    func isFormToken(_ token: String, of session: Session) -> Bool { Secret.areEqual(token, formToken(session)) }

    private func signature(_ purpose: String, _ text: String) -> String {
        Secret.hex(HMAC<SHA256>.authenticationCode(for: Array("\(purpose)|\(text)".utf8), using: key))
    }

    private static func text(hex: String) -> String? {
        let digits = Array(hex.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...(index + 1)], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
