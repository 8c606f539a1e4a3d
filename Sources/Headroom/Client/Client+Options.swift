import CMariaDB

extension Client {
    /// Creates a handle with the settings' options, not yet connected.
    ///
    /// - Parameters:
    ///   - settings: Where to, and who logs in.
    ///   - asksForTLS: Whether the library is to encrypt where the server can.
    ///   - timeout: How long a blocking connect may take; `nil` for one that obeys its limits by itself.
    /// - Returns: The handle.
    static func make(_ settings: DatabaseSettings, asksForTLS: Bool, timeout: Duration?) -> Client {
        Self.startLibrary
        guard let handle = mysql_init(nil) else { fatalError("Out of memory.") }
        if !asksForTLS {
            // The calls' own stack. Below 64 KB, as each larger block that is freed has malloc tidy up the whole heap; with
            // TLS the library's own choice (64 KB) is left alone.
            var stack = 60 * 1024
            mysql_options(handle, MYSQL_OPT_NONBLOCK, &stack)
        } else {
            mysql_options(handle, MYSQL_OPT_NONBLOCK, nil)
        }
        mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4")
        mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", settings.programName)
        // Off: a server must not be able to ask this client for local files.
        var localInfile: UInt32 = 0
        mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &localInfile)
        if let timeout {
            // In whole seconds; whoever waits for the connect gives up at the exact moment.
            var seconds = UInt32(clamping: max(1, timeout.components.seconds + 1))
            mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        }
        if asksForTLS {
            OpenSSLConfiguration.needed
            configure(handle, settings.tls)
        }
        restrictPlugins(handle, settings)
        return Client(handle, EncryptionRule(mode: settings.tls.mode, isAskedFor: asksForTLS))
    }

    /// Starts the client library, once and before any thread can race for it.
    static let startLibrary: Void = {
        mysql_server_init(0, nil, nil)
        FirstWord.startListening
    }()

    private static func configure(_ handle: UnsafeMutablePointer<MYSQL>, _ tls: TLS) {
        var on: CChar = 1
        mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on)
        switch tls.mode {
        case .disabled, .preferred, .required:
            // A self-signed server is all right in these modes, so the authorities are left out. The folder, which nobody
            // searches, keeps the library from loading the system's.
            if AnyCertificate.isPossible { mysql_options(handle, MYSQL_OPT_SSL_CAPATH, "/etc/ssl/certs") }
            return
        case .verifyCA:
            break
        case .verifyIdentity:
            mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on)
        }
        let authorities = tls.authorities ?? Machine.authorities
        // A folder of hashed certificates is read entry by entry, as needed: 1.6 ms where the whole bundle costs 20.
        let option = isFolder(authorities) ? MYSQL_OPT_SSL_CAPATH : MYSQL_OPT_SSL_CA
        mysql_options(handle, option, authorities)
    }

    /// Has the library refuse to send a bare password over TCP to a server whose identity it does not verify.
    ///
    /// A server asks for it by naming a plug-in (mysql_clear_password, dialog, sha256_password), and the library obeys, in its
    /// very first word if the greeting names it; who sits in between can ask for it too.
    private static func restrictPlugins(_ handle: UnsafeMutablePointer<MYSQL>, _ settings: DatabaseSettings) {
        guard !settings.endpoint.isSocket, settings.tls.mode != .verifyIdentity else { return }
        let plugins = "mysql_native_password,caching_sha2_password,client_ed25519,parsec,auth_gssapi_client"
        mysql_options(handle, MARIADB_OPT_RESTRICTED_AUTH, plugins)
    }
}
