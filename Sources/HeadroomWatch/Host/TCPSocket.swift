import Headroom

/// A TCP socket of this host, as the kernel lists it.
struct TCPSocket: Sendable, Hashable {
    /// What the kernel calls the state, as far as it matters here.
    enum State: Sendable, Hashable {
        case established
        case listening
        case other

        /// From the kernel's number.
        init(_ number: Int) {
            self = number == 1 ? .established : number == 10 ? .listening : .other
        }
    }

    var state: State
    var local: HostPort
    var remote: HostPort

    /// The user whose socket it is.
    var user: UInt32

    /// What tells the socket from all others of the host; 0 when no process has it any more.
    var inode: UInt64

    /// How long nothing has been sent or received; `nil` when the kernel's list does not say.
    var silence: Duration?

    /// Whether bytes wait to be read or to be sent.
    var hasPending: Bool
}

extension TCPSocket {
    /// Reads a line of `/proc/net/tcp` or `/proc/net/tcp6`; `nil` for the heading and for what is no socket.
    ///
    /// The addresses are the kernel's memory printed in words of four bytes, and so in the order of this machine.
    init?(line: Substring) {
        let fields = line.pieces(separator: " ")
        guard fields.count > 9, let local = Self.place(fields[1]), let remote = Self.place(fields[2]),
            let state = Int(fields[3], radix: 16), let user = UInt32(fields[7]), let inode = UInt64(fields[9])
        else { return nil }
        self.init(
            state: State(state),
            local: local,
            remote: remote,
            user: user,
            inode: inode,
            silence: nil,
            hasPending: fields[4] != "00000000:00000000"
        )
    }

    /// Reads a whole table.
    static func table(_ text: String) -> [TCPSocket] {
        text.pieces(separator: "\n").compactMap(TCPSocket.init(line:))
    }

    private static func place(_ text: Substring) -> HostPort? {
        let parts = text.pieces(separator: ":")
        guard parts.count == 2, let port = Int(parts[1], radix: 16), parts[0].count % 8 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = parts[0]
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            bytes += withUnsafeBytes(of: word) { Array($0) }
            rest = rest.dropFirst(8)
        }
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        return HostPort(HostAddress(bytes: bytes), port)
    }
}
