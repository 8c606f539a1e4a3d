import CommandSupport
import FoundationEssentials
import Glibc
import Headroom
import HeadroomWatch
import Reporting

/// Shows a status again and again, on a terminal's other screen.
struct StatusScreen {
    var interval: Duration
    var isJSON: Bool

    /// Looks and draws until the task is cancelled; the terminal is as before then.
    ///
    /// - Parameter look: Looks at the account, with a connection that it closes again.
    /// - Throws: `CancellationError`, or what `look` throws.
    func run(_ look: () async throws -> StatusView) async throws {
        let isTerminal = isatty(STDOUT_FILENO) == 1 && !isJSON
        if isTerminal { Self.write(Self.enter) }
        defer { if isTerminal { Self.write(Self.leave) } }
        var last: (view: StatusView, at: ContinuousClock.Instant)?
        while true {
            try Task.checkCancellation()
            let view = try await look()
            if isJSON {
                try Console.json(StatusJSON(view), isLine: true)
            } else {
                var lines = Self.lines(view, rows: isTerminal ? Self.rows : 200)
                if view.report.refusal == nil {
                    last = (view, .now)
                } else if let last {
                    let age = last.at.duration(to: .now).inWords
                    lines += ["", "  the last look that succeeded, \(age) ago:"] + Self.lines(last.view, rows: 12)
                }
                Self.write(isTerminal ? Self.frame(lines, rows: Self.rows) : lines.joined(separator: "\n") + "\n\n")
            }
            try await Task.sleep(for: interval)
        }
    }

    private static func lines(_ view: StatusView, rows: Int) -> [String] {
        let text = StatusText(view, most: max(5, rows - 20)).lines
        return ([text[0], "  " + bar(view.report, width: 50)] + text.dropFirst()).map { printable($0) }
    }

    /// A bar against the limit, with marks where CAUTION and WARNING begin.
    static func bar(_ report: AccountReport, width: Int) -> String {
        let filled = min(width, Int(clamped: (report.percent ?? 0) / 100 * Double(width) + 0.5))
        let marks = [width * 60 / 100, width * 80 / 100]
        let cells = (0..<width).map { $0 < filled ? "█" : marks.contains($0) ? "┊" : "░" }
        return cells.joined() + " \(report.percent.map { "\(fixed($0, 0)) %" } ?? "?")"
    }

    private static let enter = "\u{1B}[?1049h\u{1B}[?25l"
    private static let leave = "\u{1B}[?25h\u{1B}[?1049l"

    /// A screen full, drawn over the last without clearing it first, which would flicker.
    private static func frame(_ lines: [String], rows: Int) -> String {
        let drawn = lines.prefix(rows - 1).map { "\($0)\u{1B}[K" }.joined(separator: "\r\n")
        return "\u{1B}[H\(drawn)\u{1B}[J"
    }

    /// The terminal's height.
    private static var rows: Int {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0 else { return 24 }
        return Int(size.ws_row)
    }

    /// Writes to standard output at once.
    private static func write(_ text: String) {
        var text = text
        text.withUTF8 { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Glibc.write(STDOUT_FILENO, UnsafeBufferPointer(rebasing: rest).baseAddress, rest.count)
                guard count > 0 else { return }
                rest = rest.dropFirst(count)
            }
        }
    }
}
