import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomWatch

/// The flags that say for whom something is deployed, and what is done with the findings.
struct DeployOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Run it as this user; root's default is headroom, other users' themselves.",
            valueName: "name"
        )
    )
    var user: String?

    @Option(
        help: ArgumentHelp(
            "The file that settings come from; by default /etc/headroom/headroom.env, or .env in the working directory.",
            valueName: "file"
        )
    )
    var envFile: String?

    @Option(
        help: ArgumentHelp(
            "A part of the command line of the worker that Headroom replaces; by default any PHP script that is named like "
                + "a worker or an import.",
            valueName: "text"
        )
    )
    var oldWorker: String?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// What the package has its services write to.
    private static let packageFolders = ["/run/headroom", "/var/lib/headroom", "/var/log/headroom"]

    /// The plan for this host.
    func plan() throws -> DeploymentPlan {
        let user = user ?? (geteuid() == 0 ? "headroom" : nil)
        let file = try settingsFile()
        let package = Self.packageFolders.filter { folder in access(folder, F_OK) == 0 }
        let named = stateFolder(file)
        return DeploymentPlan(
            program: Self.program,
            settingsFile: file,
            user: user,
            writable: named.map { package.contains($0) ? package : [$0] + package } ?? package
        )
    }

    /// Looks at the host, and at what is wrong there.
    func check(_ plan: DeploymentPlan) -> (facts: DeploymentFacts, findings: [DeploymentFinding]) {
        var facts = DeploymentReader()
            .facts(
                settingsFile: plan.settingsFile,
                stateFolder: stateFolder(plan.settingsFile) ?? "/run/headroom",
                oldWorker: oldWorker
            )
        // A user's own crontab is shown to that user by crontab only.
        if geteuid() != 0, let text = Self.ownCrontab(), let own = Self.name {
            facts.crontabs.append(CronTable(text, path: "the crontab of \(own)", user: own))
        }
        return (facts, DeploymentCheck(facts).findings)
    }

    /// Prints files and findings, and ends with 1 when something is wrong.
    func report(_ files: [DeploymentPlan.File], _ facts: DeploymentFacts, _ findings: [DeploymentFinding]) throws {
        if json {
            try Console.json(Headed(DeployJSON(files: files, findings: findings, blindSpots: facts.blindSpots)))
        } else {
            for (index, file) in files.enumerated() {
                // A file's name as a comment, so that the output of one can go into it as it is.
                Console.print("\(index == 0 ? "" : "\n")# \(file.path)\n\(file.text)".trimmedEnd)
            }
            for finding in findings {
                Console.error("headroom: \(printable(finding.what))")
                Console.error("  why:  \(printable(finding.why))")
                Console.error("  next: \(printable(finding.next))")
            }
            for spot in facts.blindSpots { Console.error("headroom: not seen: \(spot)") }
            if findings.isEmpty { Console.error("headroom: nothing is wrong with what runs on this host.") }
        }
        guard findings.isEmpty else { throw ExitCode(1) }
    }

    private func settingsFile() throws -> String {
        let folder = getcwd(nil, 0)
            .map { pointer in
                defer { free(pointer) }
                return String(cString: pointer)
            }
        for path in [envFile, "/etc/headroom/headroom.env", ".env"].compactMap(\.self) {
            guard access(path, F_OK) == 0 else {
                guard envFile == nil else { break }
                continue
            }
            return path.begins(with: "/") ? path : "\(folder ?? "")/\(path)"
        }
        throw DatabaseError(
            .settingsMissing,
            message: envFile.map { "There is no file \($0)." } ?? "No settings file is found.",
            advice: "Name the application's .env with --env-file: cron and systemd hand on no other settings."
        )
    }

    /// The state folder that the settings name, if they can be read.
    private func stateFolder(_ file: String) -> String? {
        (try? SettingsSources(environment: [:], envFile: file).load())?.database.stateFolder
    }

    /// This program's path, the stable one.
    private static var program: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : "/usr/bin/headroom"
    }

    private static var name: String? { getpwuid(geteuid()).map { String(cString: $0.pointee.pw_name) } }

    private static func ownCrontab() -> String? {
        // Without this program's environment, which may have a password in it.
        let command = "exec env -i PATH=\"$PATH\" HOME=\"$HOME\" USER=\"$USER\" crontab -l 2>/dev/null"
        guard let pipe = popen(command, "re") else { return nil }
        defer { pclose(pipe) }
        var bytes: [UInt8] = []
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            while case let count = fread(buffer.baseAddress, 1, buffer.count, pipe), count > 0 {
                bytes += buffer[..<count]
            }
        }
        return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
    }
}

/// What deploy prints as JSON.
private struct DeployJSON: Encodable {
    var files: [DeploymentPlan.File]
    var findings: [DeploymentFinding]
    var blindSpots: [String]
}

extension String {
    /// The text without newlines at its end: printing adds one.
    fileprivate var trimmedEnd: String {
        var text = Substring(self)
        while text.ends(with: "\n") { text.removeLast() }
        return String(text)
    }
}
