import Glibc

/// Whom an address stands for, where tries and connections are counted.
enum AddressRange {
    /// The address itself, or the first half of one of IPv6: a client that has one of those has them all.
    static func of(_ address: String) -> String {
        var bytes = [UInt8](repeating: 0, count: 16)
        guard inet_pton(AF_INET6, address, &bytes) == 1 else { return address }
        // An IPv4 address in the clothes of IPv6.
        if bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255] {
            return bytes.suffix(4).map { "\($0)" }.joined(separator: ".")
        }
        return Secret.hex(bytes.prefix(8)) + "/64"
    }
}
