import Headroom
package import HeadroomJobs

/// Says how the dashboard is served.
package struct WebOptions: Sendable {
    /// Where it listens.
    package enum Place: Sendable, Hashable {
        /// A host and a port.
        case tcp(host: String, port: Int)
        /// A unix socket.
        case socket(path: String)

        /// Whether only programs of this host can reach it.
        package var isLoopback: Bool {
            switch self {
            case .socket: true
            case .tcp(let host, _): ["localhost", "::1"].contains(host) || Self.isLoopback(ipv4: host)
            }
        }

        private static func isLoopback(ipv4 host: String) -> Bool {
            let parts = host.pieces(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
            return parts.count == 4 && parts[0] == 127 && !parts.contains(nil)
        }
    }

    /// Where it listens; `127.0.0.1:8080` by default.
    package var place = Place.tcp(host: "127.0.0.1", port: 8080)

    /// The certificate chain and the key, PEM files; `nil` without TLS.
    package var certificate: (chain: String, key: String)?

    /// Whether a proxy in front of it does TLS, and says who the client is.
    package var isBehindProxy = false

    /// The names that it is served under, beside those that follow from its place and its certificate; `name` or `name:port`.
    package var hostNames: [String] = []

    /// The most connections at one time.
    package var mostConnections = 512

    /// How often the account is looked at while somebody watches.
    package var interval = Duration.seconds(2)

    /// The guard's history; `nil` without.
    package var historyFile: String?

    /// Where uploaded files are kept; `nil` when none are taken.
    package var uploadFolder: String?

    /// The largest file that is taken, in bytes.
    package var mostUpload = 256 << 20

    /// The most bytes of all uploaded files together; 2 GiB by default.
    package var mostUploadTotal = 2 << 30

    /// The most uploads under way at once.
    package var mostUploadsAtOnce = 4

    /// Where the files lie that jobs may name, with the upload folder.
    package var importFolders = ImportFolders()

    /// Is called when a job was queued, to wake the worker.
    package var ring: @Sendable () -> Void = {}

    package init() {}

    /// Whether cookies are to be sent over TLS only.
    var isSecure: Bool { certificate != nil || isBehindProxy }

    /// Finds out whether it may be served like this.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when others could reach it without TLS, or without a password.
    package func validate(_ credentials: Credentials) throws {
        guard credentials.hasUsers || credentials.hasToken else {
            throw DatabaseError(
                .settingsInvalid,
                message: "Nobody could sign in: there is neither a user file nor a token.",
                advice: "Give --user-file, or set HEADROOM_WEB_TOKEN."
            )
        }
        guard place.isLoopback || isSecure else {
            throw DatabaseError(
                .settingsInvalid,
                message: "Other hosts could reach the dashboard, and passwords would travel in the clear.",
                advice: "Give --tls-certificate and --tls-key, or --behind-proxy when a proxy does TLS; "
                    + "or listen on 127.0.0.1."
            )
        }
    }
}
