import Headroom

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
