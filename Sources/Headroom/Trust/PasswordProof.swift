import CLibrary
import COpenSSL

/// What shows a server that somebody knows the password, without showing it.
package enum PasswordProof {
    /// The proof by one of the methods that need nothing but the server's nonce; `nil` for another method.
    ///
    /// - Parameters:
    ///   - password: The password.
    ///   - method: The method's name, as the server gives it.
    ///   - nonce: The server's 20 bytes.
    /// - Returns: The proof; empty for an empty password.
    package static func proof(_ password: String, by method: String, _ nonce: [UInt8]) -> [UInt8]? {
        let secret = Array(password.utf8)
        switch method {
        case AuthenticationMethod.cachingSHA2.rawValue:
            return secret.isEmpty ? [] : SHA2Authentication.proof(of: secret, nonce)
        case "mysql_native_password":
            guard !secret.isEmpty else { return [] }
            let once = sha1(secret)
            return zip(once, sha1(nonce + sha1(once))).map { $0 ^ $1 }
        default: return nil
        }
    }

    private static func sha1(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: Int(SHA_DIGEST_LENGTH)) { digest, count in
            SHA1(bytes, bytes.count, digest.baseAddress)
            count = Int(SHA_DIGEST_LENGTH)
        }
    }
}
