import Glibc
import Headroom

/// What somebody is told, with the facts beside it, each in one line whatever was put into it: a command's script writes them
/// into logs and mails of its own.
package struct Alert: Sendable {
    /// The alert in one line: a mail's subject.
    package let title: String
    /// What happened.
    package let message: String
    /// What to do; empty when there is nothing to do.
    package let advice: String
    /// The facts by their names, in a fixed order: a command's environment (`HEADROOM_` before each), and a webhook's keys in
    /// lower case.
    package let facts: [(name: String, value: String)]

    /// Creates an alert.
    package init(title: String, message: String, advice: String, facts: [(name: String, value: String)]) {
        self.title = Escaping.line(title)
        self.message = Escaping.line(message)
        self.advice = Escaping.line(advice)
        self.facts = (facts + [("HOSTNAME", Self.host)]).map { ($0.name, Escaping.line($0.value)) }
    }

    /// The alert as a person reads it, in a chat or on a phone.
    var text: String {
        ([title, message] + (advice.isEmpty ? [] : ["next: \(advice)"]) + ["host: \(Self.host)"])
            .joined(separator: "\n")
    }

    /// This host's name: the reader of an alert may have many hosts.
    private static let host: String = {
        var name = utsname()
        uname(&name)
        return withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }()
}

/// A way on which alerts go out.
package protocol AlertChannel: Sendable {
    /// What it is, for the log.
    var name: String { get }

    /// Sends one alert; may take a while, and is cancelled when it takes too long.
    func send(_ alert: Alert) async throws
}

/// Tells by a command of the user's.
struct CommandChannel: AlertChannel {
    let name = "command"
    var command: String

    func send(_ alert: Alert) async throws {
        var environment: [String: String] = [:]
        // A zero byte would end the value early.
        for (name, value) in alert.facts { environment["HEADROOM_\(name)"] = value.keeping { $0 != "\0" } }
        try await Helper.run("/bin/sh", ["-c", command], adding: environment)
    }
}
