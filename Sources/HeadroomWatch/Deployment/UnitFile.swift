import Headroom

/// A unit of systemd with its drop-ins, as far as it matters here.
package struct UnitFile: Sendable, Hashable {
    /// The unit's name.
    package var name: String

    /// The file, the first of those that make it up.
    package var path: String

    /// What it runs.
    package var commands: [String] = []

    /// As which user; `nil` is root, or the user whose units these are.
    package var user: String?

    /// Whether it says where settings come from: by a file or variables of the environment, or by a folder.
    package var hasSettings = false

    /// When it is started again.
    package var restart = "no"

    /// Whether it is started with the machine, by itself or through its timer.
    package var isEnabled: Bool

    /// Reads a unit.
    ///
    /// - Parameters:
    ///   - name: Its name.
    ///   - path: The file.
    ///   - texts: The file's text and those of its drop-ins, in order.
    ///   - isEnabled: Whether it is started with the machine.
    package init(name: String, path: String, texts: [String], isEnabled: Bool) {
        self.name = name
        self.path = path
        self.isEnabled = isEnabled
        for text in texts { read(text) }
    }

    private mutating func read(_ text: String) {
        var section = ""
        for line in text.replaced("\\\n", with: " ").pieces(separator: "\n") {
            let line = line.trimmed
            if line.begins(with: "#") || line.begins(with: ";") { continue }
            if line.begins(with: "[") {
                section = line
                continue
            }
            guard section == "[Service]", let equals = line.unicodeScalars.firstIndex(of: "=") else { continue }
            let value = line[line.unicodeScalars.index(after: equals)...].trimmed
            switch line[..<equals].trimmed {
            case "ExecStart":
                // An empty one takes back those before.
                if value.isEmpty {
                    commands = []
                } else {
                    commands.append(String(value.dropping { "-@:+!".unicodeScalars.contains($0) }))
                }
            case "User": user = value.isEmpty ? nil : value
            case "Restart": restart = value
            case "EnvironmentFile", "WorkingDirectory": hasSettings = hasSettings || !value.isEmpty
            case "Environment":
                hasSettings = hasSettings || value.holds("DB_") || value.holds("DATABASE_URL")
            default: break
            }
        }
    }
}
