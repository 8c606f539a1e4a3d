import Foundation
import TestSupport

@testable import HeadroomDoor

/// A client and a server of a test, whose packets a follower sees.
struct Conversation {
    var follower: ProtocolFollower

    /// What most clients and servers agree on; none of it hides anything.
    static let usual: UInt32 = 0x0080_A20D | 0x8_0000 | 0x2_0000

    static func greeting() -> ServerGreeting { greetingPacket(.max & ~Capability.blinding).greeting }

    static func greetingPacket(_ capabilities: UInt32) -> (packet: [UInt8], greeting: ServerGreeting) {
        var packet: [UInt8] =
            [10] + Array("11.4.2-MariaDB".utf8) + [0] + Login.bytes(7, 4) + [UInt8](repeating: 1, count: 8)
        packet += [0] + Login.bytes(capabilities, 2) + [45, 2, 0] + Login.bytes(capabilities >> 16, 2) + [21]
        packet += [UInt8](repeating: 0, count: 10) + [UInt8](repeating: 2, count: 12) + [0]
        packet += Array("mysql_native_password".utf8) + [0]
        guard let greeting = ServerGreeting(packet[...]) else { fatalError("the test's own greeting is none") }
        return (packet, greeting)
    }

    static func response(_ capabilities: UInt32, user: String = "app", extended: UInt32 = 0) -> [UInt8] {
        Login.bytes(capabilities, 4) + Login.bytes(1 << 24, 4) + [45] + [UInt8](repeating: 0, count: 19)
            + Login.bytes(extended, 4) + Array(user.utf8) + [0, 0] + Array("mysql_native_password".utf8) + [0]
    }

    /// Begins where the client has logged in.
    init(_ more: UInt32 = 0, without: UInt32 = 0, extended: UInt32 = 0, account: String? = nil) {
        follower = ProtocolFollower(account: account)
        follower.greet(Self.greeting())
        client(Self.response((Self.usual | more) & ~without, extended: extended), sequence: 1)
        server(Self.ok(), sequence: 2)
    }

    mutating func client(_ payload: [UInt8], sequence: UInt8 = 0) {
        _ = DoorPacket.framed(payload, sequence: sequence).withUnsafeBytes { follower.client($0) }
    }

    mutating func server(_ payloads: [UInt8]..., sequence: UInt8 = 1) {
        for payload in payloads {
            DoorPacket.framed(payload, sequence: sequence).withUnsafeBytes { follower.server($0) }
        }
    }

    mutating func query(_ text: String) { client([3] + Array(text.utf8)) }

    static func ok(_ flags: UInt16 = 2, insertID: UInt8 = 0, warnings: UInt16 = 0) -> [UInt8] {
        [0, 0, insertID] + Login.bytes(UInt32(flags), 2) + Login.bytes(UInt32(warnings), 2)
    }

    static func eof(_ flags: UInt16 = 2) -> [UInt8] { [0xFE, 0, 0] + Login.bytes(UInt32(flags), 2) }

    static func error(_ number: UInt32 = 1064) -> [UInt8] { [0xFF] + Login.bytes(number, 2) + Array("#42000no".utf8) }

    /// The description of a column.
    static let column: [UInt8] =
        Array("\u{3}def\u{0}\u{0}\u{0}\u{1}a\u{0}".utf8) + [12, 63, 0, 1, 0, 0, 0, 3, 0x81, 0, 0, 0, 0]
}

/// Bytes of a real client and server, in the pieces in which they came, with what the server said meanwhile.
enum Capture {
    enum Event {
        case client([UInt8])
        case server([UInt8])
        /// The server itself, when all had been quiet: whether its session was idle, and whether InnoDB had a transaction of it.
        case truth(isIdle: Bool, isInTransaction: Bool)
    }

    static let names = [
        "client", "mysqli", "pdo-emulated", "pdo-native", "pymysql", "mysql-mysqli", "mysql-pdo-emulated",
        "mysql-pdo-native",
        "mysql-pymysql",
    ]

    static func events(_ name: String) throws -> [Event] {
        let path = "\(SourceFiles.root)/Tests/HeadroomDoorTests/Captures/\(name).capture"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .map { line in
                let words = line.split(separator: " ")
                switch words[0] {
                case "c": return .client(bytes(words[1]))
                case "s": return .server(bytes(words[1]))
                default: return .truth(isIdle: words[1] == "idle", isInTransaction: words[2] == "open")
                }
            }
    }

    private static func bytes(_ hex: Substring) -> [UInt8] {
        let digits = hex.utf8.map { $0 < 58 ? $0 - 48 : $0 - 87 }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

/// A follower with what a relay keeps beside it.
struct Following {
    var follower = ProtocolFollower()
    private var isGreeted = false
    private var held: [UInt8] = []
    private(set) var isParted = false

    var isIdle: Bool { follower.isIdle && held.isEmpty }

    mutating func client(_ bytes: [UInt8]) {
        guard !isParted else { return }
        held += bytes
        switch held.withUnsafeBytes({ follower.client($0) }) {
        case .pass(let count): held.removeFirst(count)
        case .stranger: isParted = true
        }
    }

    mutating func server(_ bytes: [UInt8]) {
        if !isGreeted, bytes.count > 4, let greeting = ServerGreeting(bytes[4...]) {
            isGreeted = true
            return follower.greet(greeting)
        }
        bytes.withUnsafeBytes { follower.server($0) }
    }
}
