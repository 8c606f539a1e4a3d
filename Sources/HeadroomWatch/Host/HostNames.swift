import Glibc
package import Headroom

/// Looks up the addresses of host names.
enum HostNames {
    /// The addresses of a host; none when it has none, or the process may have no thread to look them up.
    ///
    /// Looking up may take seconds and cannot be hurried, so it runs on a thread of its own.
    static func addresses(of host: String) async -> [HostAddress] {
        if let address = HostAddress(host) { return [address] }
        return await withCheckedContinuation { continuation in
            do {
                try startDetachedThread(named: "headroom-name") { continuation.resume(returning: lookUp(host)) }
            } catch {
                continuation.resume(returning: [])
            }
        }
    }

    private static func lookUp(_ host: String) -> [HostAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var addresses: [HostAddress] = []
        var next = first
        while let entry = next {
            // Where the address begins in sockaddr_in and in sockaddr_in6, and how long it is.
            let (start, count) = entry.pointee.ai_family == AF_INET ? (4, 4) : (8, 16)
            let bytes = UnsafeRawBufferPointer(start: entry.pointee.ai_addr, count: Int(entry.pointee.ai_addrlen))
            if bytes.count >= start + count { addresses.append(HostAddress(bytes: bytes[start..<start + count])) }
            next = entry.pointee.ai_next
        }
        return addresses
    }
}

extension ServerPlaces {
    /// Places from endpoints whose hosts are looked up now.
    package static func resolved(_ endpoints: [Endpoint]) async -> ServerPlaces {
        var resolved: [String: [HostAddress]] = [:]
        for case .tcp(let host, _) in endpoints { resolved[host] = await HostNames.addresses(of: host) }
        return ServerPlaces(endpoints, resolved: resolved)
    }
}
