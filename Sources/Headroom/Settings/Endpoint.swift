/// Where a database server listens.
public enum Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// A unix socket at a path.
    case socket(path: String)
    /// A TCP port of a host, which may be a name or an address.
    case tcp(host: String, port: Int)

    /// The place as a person would write it: `socket /run/mysqld/mysqld.sock` or `db.example.org:3306`.
    public var description: String {
        switch self {
        case .socket(let path): "socket \(path)"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// Whether the server is reached through a unix socket.
    public var isSocket: Bool {
        if case .socket = self { true } else { false }
    }

    /// The host's name, `localhost` for a socket.
    var hostName: String {
        if case .tcp(let host, _) = self { host } else { "localhost" }
    }
}
