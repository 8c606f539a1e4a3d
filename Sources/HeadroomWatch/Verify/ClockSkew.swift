import Glibc
import Headroom

/// How far the server's clock is from this host's, measured by one round trip.
struct ClockSkew {
    /// This host's clock before and after the question, in microseconds since 1970.
    var before: Int
    var after: Int

    /// The server's clock in between.
    var server: Int

    /// Leases and schedules stand in the server's time, slots in the host's: 2 s apart is too much.
    static let most = 2_000_000

    /// The least that the clocks are apart, whenever within the round trip the server read its own; negative when it is behind.
    var microseconds: Int {
        if server < before { return server.subtracting(clamped: before) }
        return server > after ? server.subtracting(clamped: after) : 0
    }

    var finding: Finding {
        let text = "\(microseconds.magnitude / 1000) ms"
        guard microseconds.magnitude > Self.most else {
            return .passed(microseconds == 0 ? "none within a round trip of \(after - before) us" : text)
        }
        return .failed(
            "the server is \(text) \(microseconds < 0 ? "behind" : "ahead of") this host",
            next: "Let both keep time by NTP: chronyc tracking, timedatectl."
        )
    }

    /// This host's clock, in microseconds since 1970.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1_000_000 + time.tv_nsec / 1000
    }
}
