import CommandSupport
import Headroom

/// A subject that `headroom help TOPIC` explains in a screen or two.
struct Topic: Sendable {
    /// The word to ask for it by.
    var name: String

    /// What it is about, for the list.
    var about: String

    /// The lines, each of 80 columns at most.
    var lines: [String]

    init(_ name: String, _ about: String, text: String) {
        self.init(name, about, lines: text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init))
    }

    init(_ name: String, _ about: String, lines: [String]) {
        self.name = name
        self.about = about
        self.lines = lines
    }

    /// All topics.
    static let all: [Topic] = [
        limits, lifecycle, lockedOut, slots, cron, systemd, settings, errors, exitCodes,
    ]
}
