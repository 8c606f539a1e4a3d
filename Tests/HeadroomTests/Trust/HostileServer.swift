import COpenSSL
import Glibc
import TestSupport

@testable import Headroom

/// A server that does what a test wants of it, honest or not, and keeps all that it is told.
final class HostileServer: Sendable {
    /// How it asks a client to log in.
    enum Login: Hashable, Sendable, CaseIterable {
        case native
        /// By caching_sha2_password, content with the scramble.
        case cachedSHA2
        /// By caching_sha2_password, and then it asks for the password.
        case fullSHA2
        case sha256
        case clear
        case dialog
        case old
        case unknown

        var method: String {
            switch self {
            case .native: "mysql_native_password"
            case .cachedSHA2, .fullSHA2: "caching_sha2_password"
            case .sha256: "sha256_password"
            case .clear: "mysql_clear_password"
            case .dialog: "dialog"
            case .old: "mysql_old_password"
            case .unknown: "no_such_method"
            }
        }
    }

    /// What it is like.
    struct Script: Sendable {
        var identity = Identity.honest
        var offersTLS = false
        var login = Login.native
        /// Whether it asks in its greeting, and not by a change of the method after the login's first packet.
        var asksAtOnce = true
        /// What it sends in the place of a greeting.
        var greeting: [UInt8]?
        /// What it sends after the greeting, at once.
        var afterGreeting: [UInt8] = []
        /// Whether the first packet comes byte by byte.
        var isTrickling = false
        /// What it answers statements with, over and over.
        var reply: [UInt8] = []
        /// How often.
        var repeats = 0
        /// What comes before it, once.
        var head: [UInt8] = []
        /// Whether it answers a login with an error of 16 MB.
        var isLoudAtLogin = false
    }

    /// A certificate with its key, made for the tests.
    final class Identity: Sendable {
        static let honest = Identity()
        static let attacker = Identity()

        // Pointers to what is never changed or freed.
        private nonisolated(unsafe) let key: OpaquePointer?
        private nonisolated(unsafe) let certificate: OpaquePointer?

        /// The key as a server sends it.
        let publicKey: [UInt8]

        private init() {
            // EVP_PKEY_RSA.
            let context = EVP_PKEY_CTX_new_id(6, nil)
            EVP_PKEY_keygen_init(context)
            EVP_PKEY_CTX_set_rsa_keygen_bits(context, 2048)
            var key: OpaquePointer?
            EVP_PKEY_keygen(context, &key)
            EVP_PKEY_CTX_free(context)
            let certificate = X509_new()
            X509_set_version(certificate, 2)
            ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1)
            X509_gmtime_adj(X509_getm_notBefore(certificate), 0)
            X509_gmtime_adj(X509_getm_notAfter(certificate), 86_400)
            X509_set_pubkey(certificate, key)
            let name = X509_get_subject_name(certificate)
            // MBSTRING_ASC.
            X509_NAME_add_entry_by_txt(name, "CN", 0x1001, "127.0.0.1", -1, -1, 0)
            X509_set_issuer_name(certificate, name)
            X509_sign(certificate, key, EVP_sha256())
            let text = BIO_new(BIO_s_mem())
            PEM_write_bio_PUBKEY(text, key)
            var bytes = [UInt8](repeating: 0, count: 1024)
            let count = BIO_read(text, &bytes, 1024)
            BIO_free(text)
            (self.key, self.certificate, publicKey) = (key, certificate, Array(bytes.prefix(Int(count))))
        }

        /// What the certificate's key is known by.
        var fingerprint: String { certificate.map { ServerKey(of: $0).fingerprint } ?? "" }

        fileprivate func serve(_ client: Int32) -> OpaquePointer? {
            let context = SSL_CTX_new(TLS_server_method())
            defer { SSL_CTX_free(context) }
            SSL_CTX_use_certificate(context, certificate)
            SSL_CTX_use_PrivateKey(context, key)
            let session = SSL_new(context)
            SSL_set_fd(session, client)
            if SSL_accept(session) == 1 { return session }
            SSL_free(session)
            return nil
        }

        fileprivate func decrypted(_ bytes: [UInt8]) -> [UInt8] {
            let context = EVP_PKEY_CTX_new(key, nil)
            defer { EVP_PKEY_CTX_free(context) }
            guard EVP_PKEY_decrypt_init(context) > 0, EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0
            else { return [] }
            var text = [UInt8](repeating: 0, count: 512)
            var count = text.count
            guard EVP_PKEY_decrypt(context, &text, &count, bytes, bytes.count) > 0 else { return [] }
            return zip(text.prefix(count), 0...).map { $0 ^ HostileServer.nonce[$1 % 20] }
        }
    }

    static let nonce = [UInt8](repeating: 0x41, count: 20)

    let port: Int
    private let listener: Int32
    private let heard: Recording
    private let wire: Recording

    /// All that clients have told it: in plain text, out of TLS, and what was encrypted with its key.
    var received: [UInt8] { heard.all }

    /// All that clients have sent over the wire.
    var sent: [UInt8] { wire.all }

    /// Starts it, at a port or at a unix socket.
    init(_ script: Script, path: String? = nil) throws {
        let heard = Recording()
        let wire = Recording()
        (self.heard, self.wire) = (heard, wire)
        let serve: @Sendable (Int32) -> Void = { client in
            var talk = Talk(client: client, script: script, heard: heard, wire: wire)
            talk.run()
            talk.end()
        }
        if let path {
            (listener, port) = (try listen(path: path, serve), 0)
        } else {
            (listener, port) = try listen(serve)
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// A packet as a server sends it.
    static func packet(_ payload: [UInt8], _ number: UInt8) -> [UInt8] {
        [UInt8(payload.count & 0xFF), UInt8(payload.count >> 8 & 0xFF), UInt8(payload.count >> 16), number] + payload
    }

    static let ok: [UInt8] = [0, 0, 0, 2, 0, 0, 0]
    static let end: [UInt8] = [0xFE, 0, 0, 2, 0]

    /// A column's definition, of a text.
    static let column: [UInt8] =
        [3, 0x64, 0x65, 0x66, 0, 0, 0, 1, 0x61, 0, 12, 45, 0, 0, 1, 0, 0, 0xFD, 0, 0, 0, 0, 0]

    static func greeting(_ method: String, offersTLS: Bool) -> [UInt8] {
        var bytes: [UInt8] = [10]
        bytes += Array("8.4.0".utf8) + [0, 1, 0, 0, 0]
        bytes += nonce.prefix(8)
        bytes += [0, 0x09, offersTLS ? 0xAA : 0xA2, 45, 2, 0, 0x28, 0, 21]
        bytes += [UInt8](repeating: 0, count: 10)
        bytes += nonce.suffix(12)
        bytes += [0] + Array(method.utf8) + [0]
        return bytes
    }

    /// One connection.
    private struct Talk {
        let client: Int32
        let script: Script
        let heard: Recording
        let wire: Recording
        private var session: OpaquePointer?
        private var number: UInt8 = 0

        init(client: Int32, script: Script, heard: Recording, wire: Recording) {
            (self.client, self.script, self.heard, self.wire) = (client, script, heard, wire)
        }

        mutating func run() {
            let method = script.asksAtOnce ? script.login.method : "mysql_native_password"
            let greeting =
                script.greeting ?? HostileServer.packet(HostileServer.greeting(method, offersTLS: script.offersTLS), 0)
            if script.isTrickling {
                for byte in greeting {
                    guard send([byte]) else { return }
                    usleep(200)
                }
                guard send(script.afterGreeting) else { return }
            } else {
                guard send(greeting + script.afterGreeting) else { return }
            }
            guard var login = receive() else { return }
            if script.isLoudAtLogin {
                _ = send([0xFE, 0xFF, 0xFF, 2, 0xFF, 0x10, 0x04] + [UInt8](repeating: 0x61, count: 0xFF_FFFB))
                return
            }
            if script.offersTLS, login.count == 32 {
                guard startTLS(), let inside = receive() else { return }
                login = inside
            }
            // Of what begins with the password a client wants to hear twice.
            if !script.asksAtOnce || AuthenticationMethod(rawValue: script.login.method)?.beginsWithProof != true {
                let change = [0xFE] + Array(script.login.method.utf8) + [0] + HostileServer.nonce + [0]
                guard answer(change), receive() != nil else { return }
            }
            switch script.login {
            case .native, .unknown, .old, .clear, .dialog: break
            case .cachedSHA2: guard answer([1, 3]) else { return }
            case .fullSHA2: guard answer([1, 4]), receive() != nil, takeEncrypted() else { return }
            case .sha256: guard takeEncrypted() else { return }
            }
            guard answer(HostileServer.ok) else { return }
            while let statement = receive() {
                guard statement.first != 1 else { return }
                guard script.repeats > 0 || !script.head.isEmpty else {
                    guard answer(HostileServer.ok) else { return }
                    continue
                }
                guard send(script.head) else { return }
                for _ in 0..<script.repeats where !send(script.reply) { return }
            }
        }

        /// Sends its key for the password, and takes that; over TLS it has the password by now.
        private mutating func takeEncrypted() -> Bool {
            guard session == nil else { return true }
            guard answer([1] + script.identity.publicKey), let encrypted = receive() else { return false }
            heard.add(script.identity.decrypted(encrypted))
            return true
        }

        mutating func end() {
            guard let session else { return }
            SSL_free(session)
        }

        private mutating func startTLS() -> Bool {
            session = script.identity.serve(client)
            return session != nil
        }

        private mutating func answer(_ payload: [UInt8]) -> Bool {
            number &+= 1
            return send(HostileServer.packet(payload, number))
        }

        private func send(_ bytes: [UInt8]) -> Bool {
            guard !bytes.isEmpty else { return true }
            guard session == nil else { return SSL_write(session, bytes, Int32(bytes.count)) == bytes.count }
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = rest.withUnsafeBytes { Glibc.send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
                guard count > 0 else { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }

        private mutating func receive() -> [UInt8]? {
            guard let header = take(4) else { return nil }
            number = header[3]
            let payload = take(Int(header[0]) | Int(header[1]) << 8 | Int(header[2]) << 16)
            payload.map(heard.add)
            return payload
        }

        private func take(_ wanted: Int) -> [UInt8]? {
            var bytes = [UInt8](repeating: 0, count: wanted)
            var have = 0
            while have < wanted {
                let count = bytes.withUnsafeMutableBytes { buffer in
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[have...])
                    return session == nil
                        ? read(client, rest.baseAddress, rest.count)
                        : Int(SSL_read(session, rest.baseAddress, Int32(rest.count)))
                }
                guard count > 0 else { return nil }
                if session == nil { wire.add(bytes[have..<have + count]) }
                have += count
            }
            return bytes
        }
    }
}
