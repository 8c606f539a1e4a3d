import Glibc
import Headroom

/// Reads who runs Headroom on a host: crontabs, units, processes and the rights of settings files.
///
/// It blocks for the few milliseconds that this takes.
package struct DeploymentReader: Sendable {
    private let root: String

    /// Creates a reader.
    ///
    /// - Parameter root: The folder in which the host's files are: empty for the host itself.
    package init(root: String = "") {
        self.root = root
    }

    /// Looks at the host.
    ///
    /// - Parameters:
    ///   - settingsFile: A settings file whose rights are wanted besides those that something names.
    ///   - stateFolder: The folder in which the account's budget is shared.
    ///   - oldWorker: A part of the old worker's command line, if its user knows it.
    /// - Returns: What was found.
    package func facts(settingsFile: String?, stateFolder: String = "/run/headroom", oldWorker: String?)
        -> DeploymentFacts
    {
        var facts = DeploymentFacts()
        facts.oldWorker = oldWorker
        facts.stateFolder = stateFolder
        facts.stateGroup = file(stateFolder)?.group
        facts.users = users()
        readCrontabs(&facts)
        facts.units = units()
        readProcesses(&facts)
        var calls = facts.crontabs.flatMap(\.entries).compactMap { ProgramCall($0.command, oldWorker: oldWorker) }
        calls += facts.units.flatMap(\.commands).compactMap { ProgramCall($0, oldWorker: oldWorker) }
        for path in Set(calls.compactMap(\.settingsFile) + [settingsFile].compactMap(\.self)) {
            facts.files[path] = file(path)
        }
        return facts
    }

    // MARK: Cron

    private func readCrontabs(_ facts: inout DeploymentFacts) {
        func add(_ path: String, user: String?, isIgnored: Bool = false) {
            guard let text = text(path) else { return }
            let table = CronTable(text, path: path, user: user)
            if isIgnored { facts.ignoredCrontabs.append(table) } else { facts.crontabs.append(table) }
        }
        add("/etc/crontab", user: nil)
        for name in names("/etc/cron.d") ?? [] {
            // As Debian's cron has it.
            let counts = name.isAll { $0.isNameSign && $0 != "." }
            add("/etc/cron.d/\(name)", user: nil, isIgnored: !counts)
        }
        let folder = "/var/spool/cron/crontabs"
        if let names = names(folder) {
            for name in names { add("\(folder)/\(name)", user: name) }
        } else if access(root + folder, F_OK) == 0 || access("\(root)/var/spool/cron", F_OK) == 0 {
            facts.blindSpots.append("The crontabs of other users: only root may read them.")
        }
    }

    // MARK: systemd

    private static let unitFolders = [
        "/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]

    private func units() -> [UnitFile] {
        var units: [UnitFile] = []
        let enabled = enabledUnits()
        for folder in Self.unitFolders {
            for name in names(folder) ?? [] where name.ends(with: ".service") {
                // The first folder wins; /lib may be another name for /usr/lib.
                guard !units.contains(where: { $0.name == name }), let text = text("\(folder)/\(name)") else {
                    continue
                }
                let timer = name.dropLast(".service".count) + ".timer"
                units.append(
                    UnitFile(
                        name: name,
                        path: "\(folder)/\(name)",
                        texts: [text] + dropIns(name),
                        isEnabled: enabled.contains(name) || enabled.contains(String(timer))
                    )
                )
            }
        }
        return units
    }

    /// The drop-ins of a unit, also those for all units of which the name begins so; of one name the first folder wins.
    private func dropIns(_ name: String) -> [String] {
        let stem = name.dropLast(".service".count)
        let prefixes = stem.unicodeScalars.indices.filter { stem.unicodeScalars[$0] == "-" }
            .map { stem[...$0] + ".service" }
        var found: [String: String] = [:]
        for folder in Self.unitFolders.reversed() {
            for unit in prefixes + [name[...]] {
                for file in names("\(folder)/\(unit).d") ?? [] where file.ends(with: ".conf") {
                    found[file] = text("\(folder)/\(unit).d/\(file)")
                }
            }
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    /// What targets have the machine start.
    private func enabledUnits() -> Set<String> {
        var enabled: Set<String> = []
        for folder in Self.unitFolders {
            for target in names(folder) ?? [] where target.ends(with: ".wants") || target.ends(with: ".requires") {
                enabled.formUnion(names("\(folder)/\(target)") ?? [])
            }
        }
        return enabled
    }

    // MARK: Processes and users

    private func readProcesses(_ facts: inout DeploymentFacts) {
        var unreadable = 0
        for name in names("/proc") ?? [] {
            guard let id = Int32(name), let line = text("/proc/\(name)/cmdline"), !line.isEmpty else { continue }
            let words = line.pieces(separator: "\0", omittingEmptySubsequences: false).map(String.init)
            guard let call = ProgramCall(words: words, oldWorker: facts.oldWorker), id != getpid() else { continue }
            let folder = link("/proc/\(name)/cwd")
            if folder == nil, call.kind == .worker { unreadable += 1 }
            facts.processes.append(
                DeploymentFacts.Running(
                    id: id,
                    words: words.filter { !$0.isEmpty },
                    folder: folder,
                    unit: text("/proc/\(name)/cgroup").flatMap(ProcessText.unit)
                )
            )
        }
        if unreadable > 0 {
            facts.blindSpots.append("The working directories of other users' workers: root sees them.")
        }
    }

    private func users() -> [String: DeploymentFacts.User] {
        var users: [String: DeploymentFacts.User] = [:]
        for line in (text("/etc/passwd") ?? "").pieces(separator: "\n") {
            let fields = line.pieces(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 3, let id = UInt32(fields[2]), let group = UInt32(fields[3]) else { continue }
            users[String(fields[0])] = DeploymentFacts.User(id: id, groups: [group])
        }
        for line in (text("/etc/group") ?? "").pieces(separator: "\n") {
            let fields = line.pieces(separator: ":", omittingEmptySubsequences: false)
            guard fields.count > 3, let group = UInt32(fields[2]) else { continue }
            for member in fields[3].pieces(separator: ",") { users[String(member)]?.groups.insert(group) }
        }
        return users
    }

    // MARK: Files

    private func file(_ path: String) -> DeploymentFacts.File? {
        var information = stat()
        guard stat(root + path, &information) == 0 else { return nil }
        return DeploymentFacts.File(
            owner: information.st_uid,
            group: information.st_gid,
            mode: UInt32(information.st_mode & 0o7777)
        )
    }

    private func text(_ path: String) -> String? { Self.text(of: root + path) }

    /// A file's text, 1 MB of it at most; `nil` when it cannot be read.
    static func text(of path: String) -> String? {
        // Files of /proc have no size to go by.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        return withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 8) { buffer in
            while bytes.count < 1 << 20, case let count = read(file, buffer.baseAddress, buffer.count), count > 0 {
                bytes += buffer[..<count]
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }

    private func link(_ path: String) -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink(root + path, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }

    private func names(_ folder: String) -> [String]? {
        guard let directory = opendir(root + folder) else { return nil }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
