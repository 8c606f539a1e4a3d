/// The lines by which HAProxy asks a node of a Galera cluster whether it takes statements.
///
/// A connection that is opened and closed would not do: a node that has lost the others still lets clients in, and the server
/// counts what does not log in against the host. HAProxy's own `mysql-check` logs in, but asks nothing. So the packets of a
/// login and of one statement are written out here: `SHOW STATUS LIKE 'wsrep_local_state'` is answered with 4 by a node that
/// is in step with the others, with other numbers by one that is not, or hands its data to another.
struct NodeCheck {
    /// The account, which has no password and no rights.
    var user: String

    private static let variable = "wsrep_local_state"

    var lines: [String] {
        [
            "# Each node is asked as \(user), an account without password and rights, whether it is in step with the others.",
            "option tcp-check",
            "timeout check 2s",
            "tcp-check connect",
            // Its greeting: protocol 10.
            "tcp-check expect rbinary ^......000[aA]",
            "tcp-check send-binary \(Self.hex(login))",
            // OK, the third packet's first byte.
            "tcp-check expect rbinary ^07000002000000",
            "tcp-check send-binary \(Self.hex(question))",
            "tcp-check expect binary \(Self.hex(Self.cell(Self.variable) + Self.cell("4")))",
            "tcp-check send-binary \(Self.hex(Self.packet(0, [1])))",
        ]
    }

    /// A login of protocol 4.1 with an empty password.
    private var login: [UInt8] {
        // CLIENT_PROTOCOL_41, CLIENT_SECURE_CONNECTION; a packet of 1 MB at most; utf8.
        let head: [UInt8] = [0x00, 0x82, 0x00, 0x00, 0x00, 0x00, 0x10, 0x00, 33] + Array(repeating: 0, count: 23)
        return Self.packet(1, head + Array(user.utf8) + [0, 0])
    }

    private var question: [UInt8] { Self.packet(0, [3] + Array("SHOW STATUS LIKE '\(Self.variable)'".utf8)) }

    private static func packet(_ number: UInt8, _ body: [UInt8]) -> [UInt8] {
        [UInt8(truncatingIfNeeded: body.count), UInt8(truncatingIfNeeded: body.count >> 8), 0, number] + body
    }

    /// A value of a row: its length, then its text.
    private static func cell(_ text: String) -> [UInt8] {
        [UInt8(truncatingIfNeeded: text.utf8.count)] + Array(text.utf8)
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
