/// Reads a server's first packet before the client library answers it.
///
/// As the library itself reads it, and from the same bytes: whether the server offers encryption is a bit in it, which an attacker
/// in between can take out.
struct Greeting {
    /// What a server's first packet is.
    enum Finding: Hashable {
        /// Not all of it has come.
        case incomplete
        /// A greeting, whether it offers encryption, and the method to log in by that it names.
        case offer(isEncrypted: Bool, method: String)
        /// A refusal, to which nothing is answered.
        case refusal
        /// Nothing that a server begins with.
        case impossible
    }

    /// The longest first packet, with its header: a greeting has some 100 bytes, a refusal a sentence.
    static let longest = 4096

    private var bytes: [UInt8] = []

    /// Takes what has come, in pieces of any size.
    ///
    /// - Parameter new: The next bytes.
    /// - Returns: What the packet is.
    mutating func take(_ new: some Collection<UInt8>) -> Finding {
        // A server waits for the answer. What came after a greeting in plain text would be taken for the encrypted reply to it.
        guard bytes.count + new.count <= Self.longest else { return .impossible }
        bytes += new
        guard bytes.count >= 4 else { return .incomplete }
        let length = Int(bytes[0]) | Int(bytes[1]) << 8 | Int(bytes[2]) << 16
        guard (1...Self.longest - 4).contains(length) else { return .impossible }
        guard bytes.count >= 4 + length else { return .incomplete }
        guard bytes.count == 4 + length else { return .impossible }
        return Self.finding(bytes[4...])
    }

    /// The name after the scramble, which is as long as a byte says; empty where there is none.
    private static func method(_ afterVersion: ArraySlice<UInt8>) -> String {
        let start = afterVersion.startIndex
        guard afterVersion.count > 24 else { return "" }
        let name = afterVersion.dropFirst(24 + Int(afterVersion[start + 21])).prefix { $0 != 0 }
        return String(decoding: name, as: UTF8.self)
    }

    private static func finding(_ packet: ArraySlice<UInt8>) -> Finding {
        var rest = packet
        switch rest.popFirst() {
        case 0xFF:
            // 65535 is no error but a report of progress, after which the library reads on.
            return rest.count > 2 && rest.prefix(2).elementsEqual([0xFF, 0xFF]) ? .impossible : .refusal
        case 10:
            // The version up to a zero; the session's id, 8 bytes of the scramble, a zero; then what the server can do.
            guard let end = rest.firstIndex(of: 0), rest.endIndex - end > 15 else { return .impossible }
            return .offer(isEncrypted: rest[end + 15] & 0x08 != 0, method: method(rest[end...]))
        default:
            return .impossible
        }
    }
}
