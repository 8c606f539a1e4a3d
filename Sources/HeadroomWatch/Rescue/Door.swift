public import Headroom

/// A way into the server.
public struct Door: Sendable, Hashable {
    /// What kind of way it is.
    public var kind: Kind

    /// The settings that lead through it.
    public var settings: DatabaseSettings

    /// What kind of way it is; the raw values are what `--json` prints.
    public enum Kind: String, Sendable, Hashable {
        /// The account itself.
        case account
        /// The second account of the settings `HEADROOM_ADMIN_...`.
        case monitorAccount = "monitor_account"
        /// MariaDB's second port.
        case extraPort = "extra_port"
        /// MySQL's port for administrators.
        case adminPort = "admin_port"
        /// The server's unix socket, where its TCP port refuses the whole host.
        case socket
    }

    /// Creates a door.
    public init(_ kind: Kind, _ settings: DatabaseSettings) {
        self.kind = kind
        self.settings = settings
    }

    /// The other doors worth trying after a refusal, the most promising first.
    ///
    /// - Parameters:
    ///   - refusal: Why the account itself was not let in.
    ///   - settings: The account.
    ///   - administrator: The second account, if there is one.
    ///   - ports: Where the server listens, as far as it was learned in good times.
    /// - Returns: The doors; none where no other door leads past the refusal.
    package static func others(
        after refusal: DatabaseError,
        settings: DatabaseSettings,
        administrator: DatabaseSettings?,
        ports: ServerPorts?
    ) -> [Door] {
        let isSilent = refusal.code == .deadlineExceeded
        guard refusal.isRefusal || isSilent else { return [] }
        var doors: [Door] = []
        if let administrator { doors.append(Door(.monitorAccount, administrator)) }
        let who = administrator ?? settings
        func at(_ port: Int, _ address: String?) -> DatabaseSettings {
            var there = who
            var host = "127.0.0.1"
            if case .tcp(let known, _) = who.endpoint { host = known }
            // An address for any: "*", "::" and "0.0.0.0" are not to be connected to.
            if let address, let known = HostAddress(address), known.bytes.contains(where: { $0 != 0 }) {
                host = address
            }
            there.endpoint = .tcp(host: host, port: port)
            if who.endpoint.isSocket, there.tls.mode == .disabled { there.tls.mode = .preferred }
            return there
        }
        // It opens a full server, also one whose threads are all busy; the account's own limit holds on it as well.
        if let port = ports?.extraPort, refusal.code == .serverLimitReached || isSilent || administrator != nil {
            doors.append(Door(.extraPort, at(port, nil)))
        }
        // It opens everything, to an account with SERVICE_CONNECTION_ADMIN.
        if let port = ports?.adminPort { doors.append(Door(.adminPort, at(port, ports?.adminAddress))) }
        if refusal.code == .hostBlocked, let socket = ports?.socket, case .tcp(let host, _) = settings.endpoint,
            HostAddress(host)?.isLoopback == true
        {
            var there = settings
            there.endpoint = .socket(path: socket)
            doors.append(Door(.socket, there))
        }
        return doors
    }
}
