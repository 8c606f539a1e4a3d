import CMariaDB

extension Client {
    /// Creates a handle with the settings' options, not yet connected.
    ///
    /// - Parameters:
    ///   - settings: Where to, and who logs in.
    ///   - asksForTLS: Whether the library is to encrypt where the server can.
    ///   - timeout: How long a blocking connect may take; `nil` for one that obeys its limits by itself.
    ///   - onlyLooks: Whether the connection only looks at what keys the server shows.
    /// - Returns: The handle.
    static func make(
        _ settings: DatabaseSettings,
        asksForTLS: Bool,
        timeout: Duration?,
        onlyLooks: Bool = false
    ) -> Client {
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
        if !settings.endpoint.isSocket {
            // Else the library takes its usual socket for localhost, which may be another server's.
            var tcp = MYSQL_PROTOCOL_TCP.rawValue
            mysql_options(handle, MYSQL_OPT_PROTOCOL, &tcp)
        }
        mysql_options4(handle, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", settings.programName)
        // Off: a server must not be able to ask this client for local files.
        var localInfile: UInt32 = 0
        mysql_options(handle, MYSQL_OPT_LOCAL_INFILE, &localInfile)
        // What the library reads, not what it sends: it refuses a packet by its header, before it makes room for it.
        var largest = ReplyBound.largest
        mysql_options(handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &largest)
        if let timeout {
            // In whole seconds; the task that waits for the connect gives up at the exact moment.
            var seconds = UInt32(clamping: max(1, timeout.components.seconds + 1))
            mysql_options(handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds)
        }
        if asksForTLS {
            configure(handle, settings.tls)
        }
        let trust = ServerTrust(settings, onlyLooks: onlyLooks, readsFiles: timeout != nil)
        mysql_options(
            handle,
            MARIADB_OPT_RESTRICTED_AUTH,
            AuthenticationMethod.allowed(isVerified: trust.isVerified(isEncrypted: asksForTLS), isLocal: trust.isLocal)
        )
        let isPinned = !settings.tls.pins.isEmpty
        let rule = EncryptionRule(
            mode: settings.tls.mode,
            isPinned: isPinned,
            seesKeys: !isPinned || CertificateCheck.isPossible,
            isAskedFor: asksForTLS
        )
        return Client(handle, rule, trust)
    }

    /// Starts the client library, once and before any thread can race for it.
    static let startLibrary: Void = {
        mysql_server_init(0, nil, nil)
        startListening
        SHA2Authentication.register
    }()

    private static func configure(_ handle: UnsafeMutablePointer<MYSQL>, _ tls: TLS) {
        var on: CChar = 1
        mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &on)
        if let certificate = tls.certificate {
            mysql_options(handle, MYSQL_OPT_SSL_CERT, certificate)
            mysql_options(handle, MYSQL_OPT_SSL_KEY, tls.key ?? certificate)
        }
        switch tls.mode {
        case .disabled, .preferred, .required:
            // A self-signed server is all right in these modes, so the authorities are left out. The folder, which nobody
            // searches, keeps the library from loading the system's.
            if CertificateCheck.isPossible { mysql_options(handle, MYSQL_OPT_SSL_CAPATH, "/etc/ssl/certs") }
            return
        case .verifyCA:
            _ = CertificateCheck.isPossible
        case .verifyIdentity:
            _ = CertificateCheck.isPossible
            mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &on)
        }
        let authorities = tls.authorities ?? Machine.authorities
        // A folder of hashed certificates is read entry by entry, as needed: 1.6 ms where the whole bundle costs 20.
        let option = isFolder(authorities) ? MYSQL_OPT_SSL_CAPATH : MYSQL_OPT_SSL_CA
        mysql_options(handle, option, authorities)
    }
}
