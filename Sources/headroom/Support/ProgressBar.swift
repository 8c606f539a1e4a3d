import CommandSupport
import Headroom

/// Draws a bar on a terminal, and prints a line now and then elsewhere.
struct ProgressBar {
    private let width = 28
    private let start = ContinuousClock.now
    private var lastDrawn = ContinuousClock.now - .seconds(1)
    private var lastTenth = 0

    /// Shows how far the work is.
    ///
    /// - Parameters:
    ///   - fraction: How much is done, from 0 to 1.
    ///   - detail: What to say beside the bar.
    mutating func show(_ fraction: Double, _ detail: @autoclosure () -> String) {
        let fraction = min(1, max(0, fraction))
        if Console.isTerminal {
            guard ContinuousClock.now - lastDrawn > .milliseconds(50) || fraction == 1 else { return }
            lastDrawn = .now
            let filled = Int(clamped: fraction * Double(width))
            let bar = String(repeating: "█", count: filled) + String(repeating: "░", count: width - filled)
            // Back to the first column, and the rest of an older, longer line erased.
            Console.write("\r  \(bar) \(Int(clamped: fraction * 100)) %  \(detail())\u{1B}[K")
        } else {
            let tenth = Int(clamped: fraction * 10)
            guard tenth > lastTenth else { return }
            lastTenth = tenth
            Console.error("  \(tenth * 10) %  \(detail())")
        }
    }

    /// Ends the bar's line.
    func finish() {
        if Console.isTerminal { Console.write("\r\u{1B}[K") }
    }
}
