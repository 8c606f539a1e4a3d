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

    /// Reads a list of hosts with commas between, each with a port of its own or without: `a,b:3307,[::1]:3308`.
    ///
    /// - Parameters:
    ///   - text: The list.
    ///   - port: The port of those that name none.
    /// - Returns: The places, at least one; `nil` when the list cannot be read.
    package static func list(_ text: String, port: Int) -> [Endpoint]? {
        let places = text.split(separator: ",", omittingEmptySubsequences: false).map { one($0, port: port) }
        return places.contains(nil) ? nil : places.compactMap(\.self)
    }

    private static func one(_ text: Substring, port: Int) -> Endpoint? {
        let text = text.drop { $0 == " " }
        let colon = text.lastIndex(of: ":")
        // An address of IPv6 has several colons; with a port it stands in brackets.
        let hasPort = text.hasPrefix("[") ? text.contains("]:") : colon != nil && colon == text.firstIndex(of: ":")
        let name = (hasPort ? text[..<(colon ?? text.endIndex)] : text).filter { $0 != "[" && $0 != "]" }
        var own = port
        if hasPort, let colon {
            guard let number = Int(text[text.index(after: colon)...]), (1...65_535).contains(number) else { return nil }
            own = number
        }
        return name.isEmpty ? nil : .tcp(host: name, port: own)
    }

    /// The host's name, `localhost` for a socket.
    var hostName: String {
        if case .tcp(let host, _) = self { host } else { "localhost" }
    }
}
