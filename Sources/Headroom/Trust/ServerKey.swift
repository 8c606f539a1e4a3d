import COpenSSL

/// A key by which a server shows who it is.
package struct ServerKey: Hashable, Sendable {
    /// Where the key was seen.
    package enum Kind: String, Sendable {
        /// In the server's certificate.
        case tls
        /// Sent on request, to encrypt a password with.
        case rsa
    }

    /// Where the key was seen.
    package var kind: Kind

    /// The SHA-256 of the public key (its SubjectPublicKeyInfo), as curl and browsers write it: `sha256//` and base 64.
    package var fingerprint: String

    /// Creates a key.
    package init(_ kind: Kind, fingerprint: String) {
        self.kind = kind
        self.fingerprint = fingerprint
    }

    /// The key in a certificate.
    init(of certificate: OpaquePointer) {
        self.init(.tls, information: DER.bytes { i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), $0) })
    }

    fileprivate init(_ kind: Kind, information: [UInt8]) {
        self.init(kind, fingerprint: Self.start + Base64.text(SHA256.digest(of: information)))
    }

    /// Looks at what keys a server shows; it gets a made-up password to refuse.
    ///
    /// - Parameter settings: Where to, and as whom.
    /// - Returns: The keys.
    /// - Throws: ``DatabaseError`` when there is no server to look at, or `CancellationError`.
    package static func shown(by settings: DatabaseSettings) async throws -> [ServerKey] {
        try await Client.lookAtKeys(settings, limits: Limits(deadline: .now + settings.connectTimeout))
    }

    /// Whether the text is a fingerprint of this form.
    package static func isFingerprint(_ text: some StringProtocol) -> Bool {
        guard text.utf8.starts(with: start.utf8) else { return false }
        let code = Array(text.utf8.dropFirst(start.utf8.count))
        return code.count == 44 && code.last == UInt8(ascii: "=")
            && code.dropLast().allSatisfy(Base64.alphabet.contains)
    }

    private static let start = "sha256//"
}

/// A public key of RSA.
final class PublicKey {
    private let key: OpaquePointer

    /// Reads the text form (PEM, `-----BEGIN PUBLIC KEY-----`).
    init?(pem: [UInt8]) {
        let key = pem.withUnsafeBytes { bytes in
            let source = BIO_new_mem_buf(bytes.baseAddress, Int32(clamping: bytes.count))
            defer { BIO_free(source) }
            return PEM_read_bio_PUBKEY(source, nil, nil, nil)
        }
        ERR_clear_error()
        guard let key else { return nil }
        self.key = key
    }

    deinit {
        EVP_PKEY_free(key)
    }

    /// What it is known by.
    var identity: ServerKey { ServerKey(.rsa, information: DER.bytes { i2d_PUBKEY(key, $0) }) }

    /// Encrypts a short text (RSA-OAEP with SHA-1, which is what MySQL decrypts).
    ///
    /// - Returns: `nil` when it is longer than the key has room for, or the key is none of RSA.
    func encrypted(_ text: [UInt8]) -> [UInt8]? {
        let context = EVP_PKEY_CTX_new(key, nil)
        defer {
            EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        var count = 0
        guard EVP_PKEY_encrypt_init(context) > 0, EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0,
            EVP_PKEY_encrypt(context, nil, &count, text, text.count) > 0
        else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        guard EVP_PKEY_encrypt(context, &bytes, &count, text, text.count) > 0 else { return nil }
        return Array(bytes.prefix(count))
    }
}

/// SHA-256, by OpenSSL.
enum SHA256 {
    static func digest(of bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: 32) { digest, count in
            COpenSSL.SHA256(bytes, bytes.count, digest.baseAddress)
            count = 32
        }
    }
}

/// The SHA-256 of bytes that come in pieces.
package struct SHA256Sum: ~Copyable {
    private let context = EVP_MD_CTX_new()

    package init() {
        _ = EVP_DigestInit_ex(context, EVP_sha256(), nil)
    }

    deinit {
        EVP_MD_CTX_free(context)
    }

    /// Adds bytes.
    package func add(_ bytes: UnsafeRawBufferPointer) {
        _ = EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// The sum, in hexadecimal; nothing is to be added any more.
    package var text: String {
        var digest = [UInt8](repeating: 0, count: 32)
        _ = EVP_DigestFinal_ex(context, &digest, nil)
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

private enum DER {
    /// What one of OpenSSL's `i2d` functions writes.
    static func bytes(_ write: (UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?) -> Int32) -> [UInt8] {
        var start: UnsafeMutablePointer<UInt8>?
        let count = write(&start)
        defer { CRYPTO_free(start, "", 0) }
        return Array(UnsafeBufferPointer(start: start, count: Int(max(0, count))))
    }
}

enum Base64 {
    static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start...].prefix(3)
            let bits = zip(group, [16, 8, 0]).reduce(0) { $0 | Int($1.0) << $1.1 }
            for place in 0..<4 {
                text.append(place > group.count ? UInt8(ascii: "=") : alphabet[bits >> (18 - 6 * place) & 63])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
