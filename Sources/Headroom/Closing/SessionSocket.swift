import CLibrary
import Synchronization

/// A second descriptor of a session's socket, which sees when the server lets the session go.
///
/// It is made right after the connection opens: after an error the client library has closed its own descriptor already,
/// and nothing would be left to confirm by. A session counts against the account until the server hangs up.
final class SessionSocket: Sendable {
    let descriptor: Int32
    private let isUnix: Bool

    /// Whether reading was refused; reading then says "end" at once, and only the hang-up event tells the server's end.
    private let isReadingRefused = Atomic(false)

    /// Duplicates the client's descriptor, or returns `nil` when it has none or the process may open no more.
    init?(duplicating original: Int32, isUnix: Bool) {
        let copy = fcntl(original, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { return nil }
        descriptor = copy
        self.isUnix = isUnix
        // A child of this process must not keep the session open.
        _ = fcntl(original, F_SETFD, FD_CLOEXEC)
        if !isUnix { Self.detectDeadPeers(copy) }
    }

    deinit {
        CLibrary.close(descriptor)
    }

    /// Makes the socket non-blocking; the client's own descriptor leads to the same socket, and so becomes it too.
    func stopBlocking() {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }

    /// Tells the server that nothing more will be sent, while its own hanging up can still be seen.
    func halfClose() {
        shutdown(descriptor, Int32(SHUT_WR))
    }

    /// Makes the server's next write fail, which ends a session that is sending a large result.
    ///
    /// Works on a unix socket only: over TCP the kernel goes on acknowledging what nobody reads. And on Linux only: elsewhere
    /// `poll` tells of no hang-up by itself, and a refused read says "end" before the server has hung up.
    /// - Returns: Whether reading is refused now.
    func refuseReading() -> Bool {
        #if os(Linux) && !HEADROOM_TEST_PORTABLE
        guard isUnix, shutdown(descriptor, Int32(SHUT_RD)) == 0 else { return false }
        isReadingRefused.store(true, ordering: .relaxed)
        // What is queued is taken off the socket: that wakes a server that waits for room.
        while case .more = Self.discard(descriptor) {}
        return true
        #else
        return false
        #endif
    }

    /// Waits until the server has hung up, whatever happens to the calling task; whatever it still sends is dropped.
    ///
    /// - Returns: Whether it has hung up before the deadline.
    func serverHungUp(until deadline: ContinuousClock.Instant?) async -> Bool {
        let readingRefused = isReadingRefused.load(ordering: .relaxed)
        var inline = InlineWait()
        while true {
            let outcome = await waitUntilReady(
                descriptor,
                events: readingRefused ? 0 : Int32(POLLIN),
                until: deadline,
                cancellable: false,
                inline: &inline
            )
            guard outcome == .ready else { return false }
            if readingRefused { return true }
            while case let found = Self.discard(descriptor), found != .nothing {
                if found == .ended { return true }
                // A server in the middle of a large result would keep this busy for ever.
                if let deadline, deadline < .now { return false }
            }
        }
    }

    /// Whether the server has hung up already, as far as can be seen without reading what it has sent.
    var isEnded: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) == 0
    }

    /// Whether there is nothing to read: neither the server's end nor a word said unasked.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_DONTWAIT) | Int32(MSG_PEEK)) < 0 && errno == EAGAIN
    }

    private enum Discarded {
        case ended
        case more
        case nothing
    }

    private static func discard(_ descriptor: Int32) -> Discarded {
        withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { scratch in
            let count = recv(descriptor, scratch.baseAddress, scratch.count, Int32(MSG_DONTWAIT))
            if count > 0 { return .more }
            if count < 0, errno == EAGAIN || errno == EWOULDBLOCK { return .nothing }
            if count < 0, errno == EINTR { return .more }
            return .ended
        }
    }

    /// Has the kernel find out within about two minutes that the server's host is gone, so that no wait lasts for ever.
    private static func detectDeadPeers(_ descriptor: Int32) {
        func set(_ level: Int32, _ option: Int32, _ value: Int32) {
            var value = value
            setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
        }
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), Machine.idleBeforeKeepAlive, 60)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 15)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 4)
    }
}
