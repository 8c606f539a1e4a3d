import Crypto
import Headroom

/// Makes and reads the cookies of those who have signed in: who, until when, and a signature.
///
/// The key lives as long as the program: a restart signs everybody out.
struct SessionCookie: Sendable {
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

    /// Whether it is sent over TLS only.
    let isSecure: Bool

    init(key: [UInt8] = Secret.random(count: 32), isSecure: Bool = false) {
        self.key = SymmetricKey(data: key)
        self.isSecure = isSecure
    }

    /// The name of the session's cookie.
    var name: String { prefix + "headroom_session" }

    /// The name of the cookie by which a browser shows that somebody has signed in with it before.
    var browserName: String { prefix + "headroom_browser" }

    /// With this a browser takes the cookie from this very host over TLS only, and no neighbour can put another in its place.
    private var prefix: String { isSecure ? "__Host-" : "" }

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

    /// What a browser keeps after somebody has signed in with it: whose tries come from it are counted apart.
    func browserValue(for user: String) -> String {
        let id = Secret.text(bytes: 16)
        return "\(id).\(signature("browser", "\(id)|\(user)"))"
    }

    /// The id of a browser with which that user has signed in; `nil` when the value was not signed here for that name.
    func browser(_ value: String, of user: String) -> String? {
        let parts = value.pieces(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, Secret.areEqual(signature("browser", "\(parts[0])|\(user)"), parts[1]) else {
            return nil
        }
        return parts[0]
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
