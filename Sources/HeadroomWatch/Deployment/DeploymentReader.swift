import Glibc
import Headroom

/// A line of a crontab or a unit that starts the worker or the guard.
package struct DeployedStart: Sendable, Hashable {
    /// The subcommand: `work` or `guard`.
    package var command: String

    /// The crontab or the unit.
    package var source: String

    /// The line's number in a crontab; `nil` in a unit.
    package var line: Int?

    /// What says for which account and queue it works: the settings file, and the flags that choose another one.
    package var target: String

    private static let targetFlags: Set<Substring> = [
        "--env-file", "--defaults-file", "--defaults-extra-file", "--queue", "--database", "--host", "--socket",
    ]

    /// Reads a line; `nil` when it is a comment or starts neither of the two.
    init?(_ line: Substring, source: String, number: Int? = nil) {
        let line = line.dropping(\.isBlank)
        guard !line.begins(with: "#"), !line.begins(with: ";") else { return nil }
        let words = line.pieces { $0.isBlank || "'\"=;&|()".unicodeScalars.contains($0) }
        guard
            let start = words.indices.dropLast()
                .first(where: {
                    ["work", "guard"].contains(words[$0 + 1]) && words[$0].pieces(separator: "/").last == "headroom"
                })
        else { return nil }
        command = String(words[start + 1])
        self.source = source
        self.line = number
        // Which folder a line without "cd" begins in is its user's matter: the same for all lines of one crontab.
        let base = words[..<start].lastIndex(of: "cd").map { String(words[$0 + 1]) } ?? source
        var values: [String] = []
        var hasFile = false
        for (flag, value) in zip(words[(start + 2)...], words[(start + 2)...].dropFirst())
        where Self.targetFlags.contains(flag) {
            guard flag.ends(with: "-file") else {
                values.append("\(flag) \(value)")
                continue
            }
            hasFile = true
            values.append(value.begins(with: "/") ? String(value) : "\(base)/\(value)")
        }
        if !hasFile { values.append("\(base)/.env") }
        target = values.sorted().joined(separator: " ")
    }

    /// Where it is, in words.
    var place: String { line.map { "\(source), line \($0)" } ?? source }
}

/// Something that is wrong with how Headroom is started on a host.
package struct DeploymentFinding: Sendable, Hashable, Encodable {
    /// What it is: `worker_twice` or `guard_twice`.
    package var code: String
    /// What was found, with its place.
    package var what: String
    /// Why that is wrong.
    package var why: String
    /// What to do.
    package var next: String

    /// Finds the starts of one command for one account and queue: only one of them can ever be at work.
    package static func doubles(_ starts: [DeployedStart]) -> [DeploymentFinding] {
        Dictionary(grouping: starts) { [$0.command, $0.target] }
            .filter { $0.value.count > 1 }
            .sorted { $0.key.lexicographicallyPrecedes($1.key) }
            .map { key, group in
                let name = key[0] == "work" ? "worker" : "guard"
                return DeploymentFinding(
                    code: "\(name)_twice",
                    what:
                        "One \(name) is started \(group.count) times: by \(group.map(\.place).joined(separator: "; by ")).",
                    why: "Only one of them can work at a time; when that one is stopped on purpose, another goes on.",
                    next: "Keep one of them: remove the crontab's line, or systemctl disable --now the unit."
                )
            }
    }
}

/// Reads where a host starts the worker and the guard: its crontabs, and the units that are started with it.
package struct DeploymentReader: Sendable {
    /// The folder in which the host's files are: empty for the host itself.
    private let root: String
    private let unitFolders: [String]

    /// Creates a reader.
    ///
    /// - Parameters:
    ///   - root: The folder in which the host's files are: empty for the host itself.
    ///   - home: The home folder whose units count too.
    package init(root: String = "", home: String? = nil) {
        self.root = root
        unitFolders =
            (home.map { ["\($0)/.config/systemd/user"] } ?? []) + [
                "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
                "/usr/lib/systemd/system",
                "/lib/systemd/system",
            ]
    }

    /// The starts in the host's crontabs, and what could not be read of them.
    package func crontabs() -> (starts: [DeployedStart], blindSpots: [String]) {
        let spool = "/var/spool/cron/crontabs"
        let users = OpenFolder.names(in: root + spool)
        // Cron passes over names with a dot.
        let system = OpenFolder.names(in: "\(root)/etc/cron.d")?.filter { !$0.holds(".") } ?? []
        let paths = ["/etc/crontab"] + system.sorted().map { "/etc/cron.d/\($0)" }
        let all = paths + (users ?? []).sorted().map { "\(spool)/\($0)" }
        let isHidden = users == nil && access(root + spool, F_OK) == 0
        return (
            all.flatMap { Self.starts(in: HostFile.text(root + $0), source: $0) },
            isHidden ? ["The crontabs of other users: only root may read them."] : []
        )
    }

    /// The starts in a crontab's text.
    package static func starts(in crontab: String, source: String) -> [DeployedStart] {
        crontab.pieces(separator: "\n", omittingEmptySubsequences: false).enumerated()
            .compactMap { DeployedStart($1, source: source, number: $0 + 1) }
    }

    /// The starts in the units that are started with the machine, by themselves or through their timers.
    package func units() -> [DeployedStart] {
        var enabled: Set<String> = []
        for folder in unitFolders {
            for target in OpenFolder.names(in: root + folder) ?? [] where target.ends(with: ".wants") {
                enabled.formUnion(OpenFolder.names(in: "\(root)\(folder)/\(target)") ?? [])
            }
        }
        let services = Set(enabled.map { $0.replaced(".timer", with: ".service") })
        return services.sorted()
            .flatMap { name in
                // The first folder's unit wins, and drop-ins come behind it; an empty ExecStart= takes back those before.
                let texts = unitFolders.map { HostFile.text("\(root)\($0)/\(name)") }.filter { !$0.isEmpty }.prefix(1)
                let more = unitFolders.reversed().map { "\(root)\($0)/\(name).d" }
                    .flatMap { folder in
                        (OpenFolder.names(in: folder) ?? []).sorted().map { HostFile.text("\(folder)/\($0)") }
                    }
                var starts: [DeployedStart] = []
                for line in (texts + more).joined(separator: "\n").replaced("\\\n", with: " ").pieces(separator: "\n") {
                    if line.trimmed == "ExecStart=" { starts = [] }
                    if let start = DeployedStart(line, source: name) { starts.append(start) }
                }
                return starts
            }
    }

    /// The names of the units that are there, enabled or not.
    package func unitNames() -> Set<String> { Set(unitFolders.flatMap { OpenFolder.names(in: root + $0) ?? [] }) }
}
