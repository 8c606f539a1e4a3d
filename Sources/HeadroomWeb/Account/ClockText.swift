import Glibc

/// Times as people read them, in this host's zone.
enum ClockText {
    /// Such as `14:05:09`, `14:05` or `Mon 14:05`.
    static func text(_ time: Double, _ format: Format) -> String {
        var seconds = time_t(time)
        var parts = tm()
        localtime_r(&seconds, &parts)
        var buffer = [CChar](repeating: 0, count: 64)
        let count = strftime(&buffer, buffer.count, format.rawValue, &parts)
        return String(decoding: buffer[..<count].map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    enum Format: String {
        case seconds = "%H:%M:%S"
        case minutes = "%H:%M"
        case weekday = "%a %H:%M"
        case day = "%a %e"
        case full = "%Y-%m-%d %H:%M:%S"
        case machine = "%Y-%m-%dT%H:%M:%S%z"
    }

    /// A length of time in its largest unit: `8 s`, `5 min`, `3 h`, `2 days`.
    static func length(_ duration: Duration) -> String {
        let seconds = max(0, Int(duration.components.seconds))
        switch seconds {
        case ..<120: return "\(seconds) s"
        case ..<7200: return "\(seconds / 60) min"
        case ..<172_800: return "\(seconds / 3600) h"
        default: return "\(seconds / 86_400) days"
        }
    }
}
