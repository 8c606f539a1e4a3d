import CommandSupport
import Headroom

/// A subject that `headroom help TOPIC` explains in a screen or two.
struct Topic: Sendable {
    /// The word to ask for it by.
    var name: String

    /// What it is about, for the list.
    var about: String

    /// The lines, each of 80 columns at most.
    ///
    /// Written when somebody reads them: every start of the command names the topics, and all their texts together took a
    /// fifth of the time of `headroom status`.
    var lines: [String] { write() }
    private let write: @Sendable () -> [String]

    init(_ name: String, _ about: String, text: @autoclosure @escaping @Sendable () -> String) {
        self.init(name, about) {
            text().pieces(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }

    init(_ name: String, _ about: String, lines: @escaping @Sendable () -> [String]) {
        self.name = name
        self.about = about
        write = lines
    }

    /// All topics.
    static let all: [Topic] = [
        limits, lifecycle, lockedOut, slots, cron, systemd, settings, errors, exitCodes,
    ]
}
