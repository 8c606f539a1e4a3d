import CLibrary

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
        let places = text.utf8.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { one($0, port: port) }
        return places.contains(nil) ? nil : places.compactMap(\.self)
    }

    private static func one(_ text: Substring.UTF8View, port: Int) -> Endpoint? {
        let text = text.drop { $0 == UInt8(ascii: " ") }
        var (name, rest) = (text, text.suffix(0))
        if text.first == UInt8(ascii: "[") {
            guard let close = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            (name, rest) = (text[..<close].dropFirst(), text[close...].dropFirst())
        } else if let colon = text.firstIndex(of: UInt8(ascii: ":")), colon == text.lastIndex(of: UInt8(ascii: ":")) {
            // An address of IPv6 has several colons; with a port it stands in brackets.
            (name, rest) = (text[..<colon], text[colon...])
        }
        guard isHost(name) else { return nil }
        guard let colon = rest.first else { return .tcp(host: String(Substring(name)), port: port) }
        guard colon == UInt8(ascii: ":"), let own = Int(Substring(rest.dropFirst())), (1...65_535).contains(own) else {
            return nil
        }
        return .tcp(host: String(Substring(name)), port: own)
    }

    /// Whether a text can be a host's name or address: none of what stands in a URL with a login, which is to be seen nowhere.
    static func isHost(_ text: some Collection<UInt8>) -> Bool {
        !text.isEmpty && text.allSatisfy { $0 > 0x20 && $0 != 0x7F && !"@/?#\\\"'=,[]".utf8.contains($0) }
    }

    /// The host's name, `localhost` for a socket.
    var hostName: String {
        if case .tcp(let host, _) = self { host } else { "localhost" }
    }
}

/// Whether the host is written as an IPv4 or IPv6 address, which needs no name resolution.
func isAddress(_ host: String) -> Bool {
    var storage = in6_addr()
    return inet_pton(AF_INET, host, &storage) == 1 || inet_pton(AF_INET6, host, &storage) == 1
}

extension Endpoint {
    /// Whether connecting has to resolve a name first.
    var needsResolving: Bool {
        if case .tcp(let host, _) = self { !isAddress(host) } else { false }
    }
}
