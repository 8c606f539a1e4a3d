import CLibrary
import CMariaDB

/// Has OpenSSL accept any certificate for connections that ask for encryption only, and read no trust store for them.
///
/// libmariadb (3.3, `secure/openssl.c`) knows two ways. With an authority named it verifies, asked to or not; with none it
/// loads the system's whole bundle for every connection, and then verifies nothing with it: 20 ms of CPU for a handshake
/// of 0.7. No option avoids both. So a folder is named, which OpenSSL searches only to verify, and OpenSSL is given
/// another verdict than its own, through its public interface.
///
/// Nobody else's TLS is weakened: the verdict is set on what OpenSSL creates on this thread during a call of ours, and
/// speaks for our own session only. Any other that comes by (a resolver's plug-in, say) is verified as ever.
enum AnyCertificate {
    /// Whether the client library is built on an OpenSSL that can be told so.
    static var isPossible: Bool { openSSL != nil }

    /// Runs a call of the client library in which the handle's TLS, if it starts there, accepts any certificate.
    static func accept<Result>(for handle: UnsafeMutablePointer<MYSQL>, during call: () -> Result) -> Result {
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

    /// OpenSSL's functions, and the hook that goes with them: it is set when they are first asked for.
    private static let openSSL: OpenSSL? = {
        // Before it is started the library cannot say what it is built on.
        Client.startLibrary
        guard let functions = try? OpenSSL() else { return nil }
        // 1 is CRYPTO_EX_INDEX_SSL_CTX: called for each new context, of which libmariadb makes one for each connection.
        let index = functions.onCreation(
            1,
            0,
            nil,
            { context, _, _, _, _, _ in
                guard let handle = pthread_getspecific(handleOfThread) else { return }
                openSSL?.setVerdict(context, verdict, handle)
            },
            nil,
            nil
        )
        return index < 0 ? nil : functions
    }()

    /// Accepts the certificate when the session is the handle's, and has OpenSSL verify it otherwise.
    private static let verdict: OpenSSL.Verdict = { verification, handle in
        guard let openSSL else { return 0 }
        let session = openSSL.get(verification, openSSL.sessionIndex())
        // libmariadb leaves its handle with the session, at index 0.
        guard openSSL.getOfSession(session, 0) == handle else { return openSSL.verify(verification) }
        openSSL.setResult(verification, 0)
        return 1
    }
}

/// OpenSSL's functions, found at run time, as libmariadb may also be built on another TLS library.
private struct OpenSSL {
    /// What is called for a new object: itself, and what is of no use here.
    typealias Creation =
        @convention(c) (
            UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?, Int32, Int,
            UnsafeMutableRawPointer?
        ) -> Void

    /// What judges a certificate: given the verification and what was left for it, returns 1 to accept.
    typealias Verdict = @convention(c) (UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) -> Int32

    let onCreation:
        @convention(c) (
            Int32, Int, UnsafeMutableRawPointer?, Creation, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?
        ) -> Int32
    let setVerdict: @convention(c) (UnsafeMutableRawPointer?, Verdict, UnsafeMutableRawPointer?) -> Void
    let verify: @convention(c) (UnsafeMutableRawPointer?) -> Int32
    let setResult: @convention(c) (UnsafeMutableRawPointer?, Int32) -> Void
    let get: @convention(c) (UnsafeMutableRawPointer?, Int32) -> UnsafeMutableRawPointer?
    let sessionIndex: @convention(c) () -> Int32
    let getOfSession: @convention(c) (UnsafeMutableRawPointer?, Int32) -> UnsafeMutableRawPointer?

    /// Finds them all.
    init() throws {
        var library: UnsafePointer<CChar>?
        guard mariadb_get_info(nil, MARIADB_TLS_LIBRARY, &library) == 0, let library,
            String(cString: library).begins(with: "OpenSSL")
        else { throw Missing() }
        onCreation = try Self.find("CRYPTO_get_ex_new_index")
        setVerdict = try Self.find("SSL_CTX_set_cert_verify_callback")
        verify = try Self.find("X509_verify_cert")
        setResult = try Self.find("X509_STORE_CTX_set_error")
        get = try Self.find("X509_STORE_CTX_get_ex_data")
        sessionIndex = try Self.find("SSL_get_ex_data_X509_STORE_CTX_idx")
        getOfSession = try Self.find("SSL_get_ex_data")
    }

    private static func find<Function>(_ name: String) throws -> Function {
        guard let symbol = kernel_find_function(name) else { throw Missing() }
        return unsafeBitCast(symbol, to: Function.self)
    }

    private struct Missing: Error {}
}
