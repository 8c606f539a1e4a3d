import Alerting
import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomJobs
import HeadroomWatch

/// `headroom deploy`: what starts Headroom on this host.
struct DeployCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deploy",
        abstract: "Prints the cron lines, the systemd units or the front door's configuration for this host.",
        subcommands: [DeployCron.self, DeploySystemd.self, DeployHAProxy.self]
    )
}

/// `headroom deploy cron`: the cron lines for this host.
struct DeployCron: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cron",
        abstract: "Prints the cron lines for this host.",
        discussion: """
            Prints a file for /etc/cron.d, or, for a user who is not root, lines for that user's own crontab: the guard, and \
            the worker where the database has an import queue. Then it says on standard error, and with exit status 1, \
            whether something here starts the same already. It changes nothing.

            Examples:
              headroom deploy cron > /etc/cron.d/headroom
              headroom deploy cron --user www-data --env-file /srv/app/.env
            """
    )

    @OptionGroup var options: DeployOptions

    func run() async throws {
        try await runCommand { try await options.run { [$0.crontab] } }
    }
}

/// `headroom deploy systemd`: the units for this host.
struct DeploySystemd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "systemd",
        abstract: "Prints the systemd units for this host.",
        discussion: """
            Prints the guard's unit, and the worker's where the database has an import queue, each below the path of its \
            file; where the package has installed its own, only what differs from those. Then it says on standard error, and \
            with exit status 1, whether something here starts the same already. It changes nothing.

            Examples:
              headroom deploy systemd
              headroom deploy systemd --user www-data --env-file /srv/app/.env
            """
    )

    @OptionGroup var options: DeployOptions

    func run() async throws {
        try await runCommand {
            if access("/run/systemd/system", F_OK) != 0 {
                Console.error("headroom: systemd does not run this host; 'headroom deploy cron' prints lines for cron")
            }
            try await options.run { $0.units(installed: options.reader.unitNames()) }
        }
    }
}

/// The flags that say for whom something is deployed.
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

    @Flag(
        inversion: .prefixedNo,
        help: "Print what starts the worker; by default where the database has an import queue."
    )
    var worker: Bool?

    @Flag(help: "Print one JSON object.")
    var json = false

    /// Prints files, then what starts the same already, and ends with 1 when something does.
    func run(_ makeFiles: (DeploymentPlan) -> [DeploymentPlan.File]) async throws {
        let settingsFile = try settingsFile()
        // As cron and systemd start it: without this environment.
        let settings = try SettingsSources(environment: [:], envFile: settingsFile)
            .loadTelling(program: "headroom deploy").database
        let named = settings.stateFolder
        let folders: [String] = ["/run/headroom", "/var/lib/headroom", "/var/log/headroom"]
        let package = folders.filter { access($0, F_OK) == 0 }
        let files = makeFiles(
            DeploymentPlan(
                program: CompanionProgram.ownPath ?? "/usr/bin/headroom",
                settingsFile: settingsFile,
                user: user ?? (geteuid() == 0 ? "headroom" : nil),
                writable: named.map { package.contains($0) ? package : [$0] + package } ?? package,
                hasQueue: await hasQueue(settings)
            )
        )
        let (starts, blindSpots) = await startsHere()
        // What is printed takes the place of a file of that name.
        let printed = files.flatMap { DeploymentReader.starts(in: $0.text, source: $0.source) }
        let sources = Set(files.map(\.source))
        let findings = DeploymentFinding.doubles(starts.filter { !sources.contains($0.source) } + printed)
        if json {
            let report: JSONObject = ["files": files, "findings": findings, "blind_spots": blindSpots]
            try Console.json(report)
        } else {
            for (index, file) in files.enumerated() {
                // A file's name as a comment, so that the output of one can go into it as it is.
                Console.print(text: "\(index == 0 ? "" : "\n")# \(file.path)\n\(file.text.dropLast())")
            }
            for finding in findings {
                Console.error("headroom: \(finding.what)")
                Console.error("  why:  \(finding.why)")
                Console.error("  next: \(finding.next)")
            }
            for spot in blindSpots { Console.error("headroom: not seen: \(spot)") }
        }
        guard findings.isEmpty else { throw ExitCode(1) }
    }

    var reader: DeploymentReader {
        DeploymentReader(home: geteuid() == 0 ? nil : ProcessEnvironment.variables["HOME"])
    }

    private func startsHere() async -> ([DeployedStart], [String]) {
        let (starts, blindSpots) = reader.crontabs()
        // A user's own crontab is shown to that user by crontab only.
        let own = geteuid() == 0 ? "" : (try? await Helper.run("crontab", ["-l"])) ?? ""
        let all = starts + reader.units() + DeploymentReader.starts(in: own, source: DeploymentPlan.ownCrontab)
        return (all, blindSpots)
    }

    /// Whether the database has the queue's tables, if its user does not say so.
    private func hasQueue(_ settings: DatabaseSettings) async -> Bool {
        if let worker { return worker }
        var settings = settings
        settings.connectTimeout = min(settings.connectTimeout, .seconds(5))
        do {
            return try await Database(settings, share: .reserve)
                .withConnection(label: "deploy") { try await JobsSchema.missingTables($0).isEmpty }
        } catch {
            let why = (error as? DatabaseError)?.message ?? "\(error)"
            Console.error("headroom: whether there is an import queue could not be asked: \(why)")
            Console.error("  next: no worker is printed; with --worker it is.")
            return false
        }
    }

    private func settingsFile() throws -> String {
        for path in envFile.map({ [$0] }) ?? ["/etc/headroom/headroom.env", ".env"] where access(path, F_OK) == 0 {
            return NamedFile(path).path
        }
        throw DatabaseError(
            .settingsMissing,
            message: envFile.map { "There is no file \($0)." } ?? "No settings file is found.",
            advice: "Name the application's .env with --env-file: cron and systemd hand on no other settings."
        )
    }
}
