import CLibrary

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
