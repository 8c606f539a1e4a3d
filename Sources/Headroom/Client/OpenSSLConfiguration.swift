import COpenSSL
import Synchronization

/// The machine's configuration of OpenSSL (`openssl.cnf`): which versions and ciphers it allows, which providers it loads.
///
/// The client library has it read as soon as it is started, whether a connection is to be encrypted or not: a tenth of the
/// time and 0.8 MB of a command that asks a server on a unix socket one question.
package enum OpenSSLConfiguration {
    private static let isDeferred = Atomic(false)

    /// Has it read only when the first connection that asks for TLS is made.
    ///
    /// To be called before the first connection, and only by a program in which nothing but Headroom uses OpenSSL: whatever
    /// else did would start without the machine's rules.
    package static func deferUntilNeeded() {
        // No later start reads it by itself, and at the end of the process OpenSSL's memory goes without its help.
        let options = UInt64(OPENSSL_INIT_NO_LOAD_CONFIG) | UInt64(OPENSSL_INIT_NO_ATEXIT)
        if OPENSSL_init_crypto(options, nil) == 1 { isDeferred.store(true, ordering: .releasing) }
    }

    /// Has it read now, once, if that was deferred; as OpenSSL does at its start.
    static let needed: Void = {
        guard isDeferred.load(ordering: .acquiring) else { return }
        OPENSSL_load_builtin_modules()
        // The default section where none is named; neither a missing file nor an unknown line is an error
        // (CONF_modules_load_file(3), and crypto/conf/conf_sap.c for the start's own).
        let flags = UInt(
            CONF_MFLAGS_DEFAULT_SECTION | CONF_MFLAGS_IGNORE_MISSING_FILE | CONF_MFLAGS_IGNORE_RETURN_CODES
        )
        _ = CONF_modules_load_file(nil, nil, flags)
    }()
}
