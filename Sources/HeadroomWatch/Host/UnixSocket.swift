import Headroom

/// A unix stream socket of this host, as the kernel lists it.
struct UnixSocket: Sendable, Hashable {
    /// What tells the socket from all others of the host.
    var inode: UInt64

    /// Whether it waits for connections.
    var isListening: Bool

    /// The path that it, or the socket that accepted it, was bound to.
    var path: String?

    /// The file that it was bound to, by number; it tells two paths to one file.
    var file: UInt32?

    /// The inode of the other end; `nil` when the kernel's list does not say.
    var peer: UInt64?

    /// The user whose socket it is; `nil` when the kernel's list does not say.
    var user: UInt32?

    /// Whether bytes wait to be read.
    var hasPending = false
}

extension UnixSocket {
    /// Reads a line of `/proc/net/unix`, which does not say who is connected to whom; `nil` for the heading.
    ///
    /// Only stream sockets that are connected or listening are returned.
    init?(line: Substring) {
        // Num RefCount Protocol Flags Type St Inode Path; the path may contain blanks.
        let fields = line.pieces(separator: " ", maxSplits: 7)
        guard fields.count >= 7, fields[4] == "0001", let flags = UInt32(fields[3], radix: 16),
            let inode = UInt64(fields[6])
        else { return nil }
        // Bit 16 of the flags is the kernel's mark of a listening socket; state 03 is "connected".
        let isListening = flags & 0x10000 != 0
        guard isListening || fields[5] == "03" else { return nil }
        self.init(inode: inode, isListening: isListening, path: fields.count > 7 ? String(fields[7]) : nil)
    }

    /// Reads the whole table.
    static func table(_ text: String) -> [UnixSocket] {
        text.pieces(separator: "\n").compactMap(UnixSocket.init(line:))
    }
}
