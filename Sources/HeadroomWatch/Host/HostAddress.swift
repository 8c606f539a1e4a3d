import Glibc

/// An IPv4 or IPv6 address; an IPv4 address that is written as an IPv6 one (`::ffff:127.0.0.1`) is the IPv4 address.
public struct HostAddress: Sendable, Hashable, CustomStringConvertible {
    /// The address's bytes in the order of the network: 4 or 16.
    public let bytes: [UInt8]

    /// Creates an address from its bytes, 4 or 16 of them.
    public init(bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        let isMapped = bytes.count == 16 && bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 255 && bytes[11] == 255
        self.bytes = isMapped ? Array(bytes[12...]) : bytes
    }

    /// Reads an address as people write it; `nil` for a name.
    public init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: withUnsafeBytes(of: &four) { Array($0) })
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: withUnsafeBytes(of: &six) { Array($0) })
        } else {
            return nil
        }
    }

    /// Whether the address leads back to the host itself.
    public var isLoopback: Bool {
        bytes.count == 4 ? bytes[0] == 127 : bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1
    }

    /// The address as people write it.
    public var description: String {
        var buffer = [CChar](repeating: 0, count: 64)
        let family = bytes.count == 4 ? AF_INET : AF_INET6
        guard inet_ntop(family, bytes, &buffer, socklen_t(buffer.count)) != nil else { return "?" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }
}

/// An address and a port of it.
public struct HostPort: Sendable, Hashable, CustomStringConvertible {
    /// The address.
    public var address: HostAddress

    /// The port.
    public var port: Int

    /// Creates an address with a port.
    public init(_ address: HostAddress, _ port: Int) {
        self.address = address
        self.port = port
    }

    /// The two as people write them.
    public var description: String { address.bytes.count == 16 ? "[\(address)]:\(port)" : "\(address):\(port)" }
}
