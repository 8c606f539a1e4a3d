/// What is asked of the kernel's socket monitor, and how its answers are read (`man 7 sock_diag`).
///
/// It says more than the tables in /proc: the other end of a unix socket, and how long a TCP socket has been silent. Like
/// `ss`, it needs no privilege.
enum SocketMessages {
    /// The request for all unix sockets that are connected or listening.
    static var unixRequest: [UInt8] {
        // Names, files, peers, queues and users.
        header(length: 24) + [1, 0, 0, 0] + bytes(states) + bytes(0 as UInt32) + bytes(0x57 as UInt32) + noCookie
    }

    /// The request for all TCP sockets of a family that are connected or listening.
    static func tcpRequest(isIPv6: Bool) -> [UInt8] {
        // The second extension is the kernel's TCP_INFO.
        let wanted: [UInt8] = [isIPv6 ? 10 : 2, 6, 1 << 1, 0]
        return header(length: 56) + wanted + bytes(states) + [UInt8](repeating: 0, count: 40) + noCookie
    }

    private static let states: UInt32 = 1 << 1 | 1 << 10
    private static let noCookie = [UInt8](repeating: 0xFF, count: 8)

    private static func header(length: UInt32) -> [UInt8] {
        // SOCK_DIAG_BY_FAMILY; a request for a dump.
        bytes(length + 16) + bytes(20 as UInt16) + bytes(0x301 as UInt16) + bytes(1 as UInt32) + bytes(0 as UInt32)
    }

    private static func bytes(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number) { Array($0) }
    }

    /// One message of an answer.
    enum Message {
        case socket(MessageReader)
        case done
        /// The kernel's error number.
        case failed(Int32)
    }

    /// Splits what was received into messages.
    static func messages(in data: some Collection<UInt8>) -> [Message] {
        var rest = MessageReader(data)
        var messages: [Message] = []
        while let length = rest.number(UInt32.self), let type = rest.number(UInt16.self), length >= 16 {
            rest.skip(10)
            guard let body = rest.take(Int(length) - 16) else { break }
            rest.skip(padding(Int(length)))
            var reader = body
            switch type {
            case 3: messages.append(.done)
            case 2: messages.append(.failed(0 &- (reader.number(Int32.self) ?? 0)))
            default: messages.append(.socket(body))
            }
        }
        return messages
    }

    /// Reads a `unix_diag_msg` with its attributes.
    static func unixSocket(_ message: MessageReader) -> UnixSocket? {
        var reader = message
        guard let family = reader.number(UInt8.self), family == 1, let type = reader.number(UInt8.self), type == 1,
            let state = reader.number(UInt8.self)
        else { return nil }
        reader.skip(1)
        guard let inode = reader.number(UInt32.self) else { return nil }
        reader.skip(8)
        var socket = UnixSocket(inode: UInt64(inode), isListening: state == 10)
        eachAttribute(reader) { type, value in
            var value = value
            switch type {
            case 0: socket.path = value.text
            case 1: socket.file = value.number(UInt32.self)
            case 2: socket.peer = value.number(UInt32.self).map(UInt64.init)
            case 4: socket.hasPending = !socket.isListening && value.number(UInt32.self) ?? 0 > 0
            case 7: socket.user = value.number(UInt32.self)
            default: break
            }
        }
        return socket
    }

    /// Reads an `inet_diag_msg` with its attributes.
    static func tcpSocket(_ message: MessageReader) -> TCPSocket? {
        var reader = message
        guard let family = reader.number(UInt8.self), let state = reader.number(UInt8.self) else { return nil }
        reader.skip(2)
        let size = family == 10 ? 16 : 4
        guard let localPort = reader.bigEndian(), let remotePort = reader.bigEndian(),
            let local = reader.take(16), let remote = reader.take(16)
        else { return nil }
        reader.skip(12 + 4)
        guard let unread = reader.number(UInt32.self), let unsent = reader.number(UInt32.self),
            let user = reader.number(UInt32.self), let inode = reader.number(UInt32.self)
        else { return nil }
        let state0 = TCPSocket.State(Int(state))
        var socket = TCPSocket(
            state: state0,
            local: HostPort(HostAddress(bytes: local.rest.prefix(size)), localPort),
            remote: HostPort(HostAddress(bytes: remote.rest.prefix(size)), remotePort),
            user: user,
            inode: UInt64(inode),
            silence: nil,
            // Of a listening socket the two are the length of its queue.
            hasPending: state0 == .established && (unread > 0 || unsent > 0)
        )
        eachAttribute(reader) { type, value in
            guard type == 2, state0 == .established else { return }
            // struct tcp_info: the milliseconds since the last data was sent and received.
            var sent = value
            var received = value
            sent.skip(44)
            received.skip(52)
            guard let sent = sent.number(UInt32.self), let received = received.number(UInt32.self) else { return }
            socket.silence = .milliseconds(min(sent, received))
        }
        return socket
    }

    private static func eachAttribute(_ reader: MessageReader, _ body: (UInt16, MessageReader) -> Void) {
        var reader = reader
        while let length = reader.number(UInt16.self), let type = reader.number(UInt16.self), length >= 4,
            let value = reader.take(Int(length) - 4)
        {
            reader.skip(padding(Int(length)))
            // The upper bits are flags.
            body(type & 0x3FFF, value)
        }
    }

    private static func padding(_ length: Int) -> Int { (4 - length % 4) % 4 }
}

/// Reads numbers from a kernel message, one after the other.
struct MessageReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: some Collection<UInt8>) {
        rest = ArraySlice(bytes)
    }

    /// The next number in the order of this machine, or `nil` at the end.
    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
        let size = MemoryLayout<Number>.size
        guard rest.count >= size else { return nil }
        var number = Number.zero
        withUnsafeMutableBytes(of: &number) { $0.copyBytes(from: rest.prefix(size)) }
        rest = rest.dropFirst(size)
        return number
    }

    /// The next two bytes in the order of the network.
    mutating func bigEndian() -> Int? {
        number(UInt16.self).map { Int(UInt16(bigEndian: $0)) }
    }

    /// The next bytes as a message of their own, or `nil` when there are not that many.
    mutating func take(_ count: Int) -> MessageReader? {
        guard count >= 0, rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return MessageReader(rest.prefix(count))
    }

    /// Passes over bytes, as far as there are any.
    mutating func skip(_ count: Int) {
        rest = rest.dropFirst(count)
    }

    /// What is left as text, up to the first zero byte; an abstract name begins with one, which becomes `@`.
    var text: String {
        rest.first == 0
            ? "@" + String(decoding: rest.dropFirst().prefix { $0 != 0 }, as: UTF8.self)
            : String(decoding: rest.prefix { $0 != 0 }, as: UTF8.self)
    }
}
