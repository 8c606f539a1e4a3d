import CLibrary
import CMariaDB
import COpenSSL

/// Judges a server's certificate in OpenSSL's place: for connections that ask for encryption only, or for a pinned key.
///
/// libmariadb (3.3, `secure/openssl.c`) knows two ways. With an authority named it verifies, asked to or not; with none it
/// loads the system's whole bundle for every connection, and then verifies nothing with it: 20 ms of CPU for a handshake
/// of 0.7. No option avoids both. So a folder is named, which OpenSSL searches only to verify, and OpenSSL is given
/// another verdict than its own, through its public interface. It is also where the server's key is seen: in the handshake,
/// before anything is sent.
///
/// No other TLS connection is weakened: the verdict is set on what OpenSSL creates on this thread during a call of ours, and
/// speaks for our own session only. Any other that comes by (a resolver's plug-in, say) is verified as ever.
enum CertificateCheck {
    /// Whether the client library is built on OpenSSL, and not on another library whose sessions nothing can be asked of.
    static let isPossible: Bool = {
        // Before it is started the library cannot say what it is built on.
        Client.startLibrary
        var library: UnsafePointer<CChar>?
        guard mariadb_get_info(nil, MARIADB_TLS_LIBRARY, &library) == 0, let library,
            String(cString: library).begins(with: "OpenSSL")
        else { return false }
        // Called for each new context, of which libmariadb makes one for each connection.
        return CRYPTO_get_ex_new_index(
            CRYPTO_EX_INDEX_SSL_CTX,
            0,
            nil,
            { context, _, _, _, _, _ in
                guard let handle = pthread_getspecific(handleOfThread), let context else { return }
                SSL_CTX_set_cert_verify_callback(OpaquePointer(context), verdict, handle)
            },
            nil,
            nil
        ) >= 0
    }()

    /// Runs a call of the client library in which the handle's TLS, if it starts there, is judged here.
    static func judge<Result>(for handle: UnsafeMutablePointer<MYSQL>, during call: () -> Result) -> Result {
        pthread_setspecific(handleOfThread, handle)
        defer { pthread_setspecific(handleOfThread, nil) }
        return call()
    }

    /// The handle that the thread is in a call for.
    private static let handleOfThread: pthread_key_t = {
        var key = pthread_key_t()
        guard pthread_key_create(&key, nil) == 0 else { fatalError("The process has no thread keys left.") }
        return key
    }()

    /// Has the session's client judge the certificate when the session is the handle's, and OpenSSL otherwise.
    private static let verdict: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
        verification,
        handle in
        let session = X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx())
        // libmariadb leaves its handle with the session, at index 0.
        guard let session, let handle, SSL_get_ex_data(OpaquePointer(session), 0) == handle,
            let client = Client.of(handle.assumingMemoryBound(to: MYSQL.self))
        else { return X509_verify_cert(verification) }
        if let certificate = X509_STORE_CTX_get0_cert(verification) { client.takeKey(ServerKey(of: certificate)) }
        guard client.encryption.mode.acceptsAnyCertificate || X509_verify_cert(verification) == 1 else { return 0 }
        guard client.matchesPin() else {
            X509_STORE_CTX_set_error(verification, X509_V_ERR_APPLICATION_VERIFICATION)
            return 0
        }
        X509_STORE_CTX_set_error(verification, X509_V_OK)
        return 1
    }
}
