import Headroom

/// What a cron line, a unit or a process runs, as far as it matters here.
package struct ProgramCall: Sendable, Hashable {
    /// Which program it is.
    package var kind: Kind

    /// The program's path as it is called.
    package var program: String

    /// Whether it ends by itself after a round.
    package var isOnce = false

    /// Whether it says nothing when all is well.
    package var isQuiet = false

    /// The file that settings come from, as it is named.
    private var namedFile: String?

    /// Whether flags say where the database is.
    package var hasPlace = false

    /// The folder that it changes to before.
    package var folder: String?

    /// What tells two queues with one settings file apart.
    package var queue = ""

    /// What is run.
    package enum Kind: Sendable, Hashable {
        /// `headroom work`.
        case worker
        /// `headroom guard`.
        case watcher
        /// Another subcommand of `headroom`.
        case other
        /// A worker in PHP, as there was before Headroom.
        case oldWorker
    }

    /// Finds Headroom, or a worker in PHP, in a command line; `nil` when it runs neither.
    ///
    /// - Parameters:
    ///   - line: The command line, as a shell would be given it.
    ///   - oldWorker: A part of the old worker's command line; `nil` takes any PHP script that is named like one.
    package init?(_ line: String, oldWorker: String?) {
        self.init(words: ShellWords.split(line), oldWorker: oldWorker)
    }

    init?(words: [String], oldWorker: String?) {
        var folder: String?
        for (index, word) in words.enumerated() {
            // A command begins here; what comes before may be "nice", "flock" or a variable.
            let name = word.pieces(separator: "/").last.map(String.init) ?? ""
            if word == "cd", index + 1 < words.count { folder = words[index + 1] }
            let rest = words[(index + 1)...].prefix { $0 != ";" }
            if name == "headroom", let subcommand = rest.first, !subcommand.begins(with: "-") {
                self.init(word, subcommand, Array(rest.dropFirst()), folder: folder)
                return
            }
            if Self.isOldWorker(name, Array(rest), named: oldWorker) {
                self.init(oldWorker: ([word] + rest).joined(separator: " "))
                return
            }
        }
        return nil
    }

    private init(oldWorker line: String) {
        kind = .oldWorker
        program = line
    }

    private init(_ program: String, _ subcommand: String, _ flags: [String], folder: String?) {
        self.program = program
        self.folder = folder
        switch subcommand {
        case "work": kind = .worker
        case "guard": kind = .watcher
        default: kind = .other
        }
        isOnce = flags.contains("--once") || kind == .other
        isQuiet = flags.contains("--quiet") || kind != .worker
        func value(_ name: String) -> String? {
            for (index, flag) in flags.enumerated() {
                if flag == name, index + 1 < flags.count { return flags[index + 1] }
                if flag.begins(with: "\(name)=") { return String(flag.dropFirst(name.count + 1)) }
            }
            return nil
        }
        namedFile = value("--env-file") ?? value("--defaults-file") ?? value("--defaults-extra-file")
        hasPlace = value("--host") != nil || value("--socket") != nil
        queue = ["--queue", "--database", "--host", "--socket"]
            .compactMap { name in value(name).map { "\(name)=\($0)" } }
            .joined(separator: " ")
    }

    /// A PHP script that is named like a worker or an import, or what the user says it is.
    private static func isOldWorker(_ name: String, _ arguments: [String], named: String?) -> Bool {
        guard name.begins(with: "php"), !name.begins(with: "php-fpm") else { return false }
        if let named { return arguments.contains { $0.contains(named) } }
        let script = arguments.first { !$0.begins(with: "-") }?.pieces(separator: "/").last?.lowercased() ?? ""
        if script == "artisan" { return arguments.contains("queue:work") }
        return script.ends(with: ".php") && (script.holds("worker") || script.holds("import"))
    }

    /// The path of the file that settings come from; `nil` when none is named.
    package var settingsFile: String? {
        guard let namedFile, !namedFile.begins(with: "/"), let folder else { return namedFile }
        return "\(folder)/\(namedFile)"
    }

    /// What says for which queue a worker works: two with the same are one too many.
    package var identity: String {
        "\(settingsFile ?? folder.map { "\($0)/.env" } ?? "")  \(queue)"
    }
}
