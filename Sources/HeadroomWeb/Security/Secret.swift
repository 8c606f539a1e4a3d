import Crypto

/// Secrets: made at random, compared so that the time taken tells nothing.
enum Secret {
    /// Random bytes from the system.
    static func random(count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// Random bytes as text.
    static func text(bytes: Int) -> String { hex(random(count: bytes)) }

    /// Bytes as text.
    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }

    /// Whether two are the same, in a time that depends on their lengths alone.
    static func areEqual(_ one: some Collection<UInt8>, _ other: some Collection<UInt8>) -> Bool {
        guard one.count == other.count else { return false }
        return zip(one, other).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }

    /// Whether two texts are the same; neither's length shows, as their digests are compared.
    static func areEqual(_ one: String, _ other: String) -> Bool {
        areEqual(Array(SHA256.hash(data: Array(one.utf8))), Array(SHA256.hash(data: Array(other.utf8))))
    }
}
