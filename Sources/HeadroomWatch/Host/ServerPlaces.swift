public import Headroom

/// Every way to the server that is known: sockets by path, ports of this host, ports of other hosts.
///
/// One account is counted over all of them, so a look at who holds its connections takes in all of them.
public struct ServerPlaces: Sendable, Hashable {
    /// The paths of its unix sockets.
    public var paths: Set<String> = []

    /// The numbers of the files at those paths, for the case that a program uses another path to the same file.
    var files: Set<UInt32> = []

    /// The ports on which it listens on this host.
    public var ports: Set<Int> = []

    /// The addresses and ports under which it is reached.
    public var addresses: Set<HostPort> = []

    /// Creates places from endpoints; hosts that are no address must have been looked up.
    ///
    /// - Parameters:
    ///   - endpoints: The known ways to the server.
    ///   - resolved: The addresses of the hosts' names.
    public init(_ endpoints: [Endpoint], resolved: [String: [HostAddress]] = [:]) {
        for endpoint in endpoints {
            switch endpoint {
            case .socket(let path):
                paths.insert(path)
            case .tcp(let host, let port):
                let known = HostAddress(host).map { [$0] } ?? resolved[host] ?? []
                for address in known { addresses.insert(HostPort(address, port)) }
                // A server on this host is reached under any of the host's addresses.
                if known.contains(where: \.isLoopback) { ports.insert(port) }
            }
        }
    }

    /// Whether one of the ways is on this host, so that the server must be.
    var isHere: Bool { !paths.isEmpty || !ports.isEmpty }
}
