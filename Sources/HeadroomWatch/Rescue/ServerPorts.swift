package import Headroom

/// Where a server listens beside the place that the settings name.
public struct ServerPorts: Sendable, Hashable {
    /// The port for everybody; `nil` when it listens on none.
    public var port: Int?

    /// The path of its unix socket.
    public var socket: String?

    /// MariaDB's second port, which a full server leaves open (`extra_port`); `nil` when it has none.
    public var extraPort: Int?

    /// MySQL's port for administrators, which no limit closes (`admin_port`); `nil` when it has none.
    public var adminPort: Int?

    /// The address of the port for administrators.
    public var adminAddress: String?

    /// Creates ports.
    public init(
        port: Int? = nil,
        socket: String? = nil,
        extraPort: Int? = nil,
        adminPort: Int? = nil,
        adminAddress: String? = nil
    ) {
        self.port = port
        self.socket = socket
        self.extraPort = extraPort
        self.adminPort = adminPort
        self.adminAddress = adminAddress
    }
}

extension Connection {
    /// Asks the server where it listens; any account may.
    package func serverPorts() async throws -> ServerPorts {
        let own: SQL = isMariaDB ? "@@extra_port, NULL" : "@@admin_port, @@admin_address"
        let row =
            try await query("SELECT @@skip_networking, @@port, @@socket, \(own)")
            .first(Int.self, Int.self, String.self, Int.self, String?.self)
        guard let (isClosed, port, socket, second, address) = row else { return ServerPorts() }
        var ports = ServerPorts(port: isClosed == 0 && port > 0 ? port : nil, socket: socket)
        if isMariaDB {
            ports.extraPort = second > 0 ? second : nil
        } else if let address, !address.isEmpty, second > 0 {
            // Without an address MySQL has a number for the port, and listens on none.
            ports.adminPort = second
            ports.adminAddress = address
        }
        return ports
    }
}
