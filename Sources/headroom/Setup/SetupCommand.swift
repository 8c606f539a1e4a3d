import ArgumentParser
import CommandSupport
import Glibc
import Headroom
import HeadroomDoor
import HeadroomJobs
import HeadroomWatch

/// `headroom setup`: from an application that is refused to one that waits in line, without root.
struct SetupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setup",
        abstract: "Sets Headroom up for a PHP application of this user: the door, one line of cron, one change.",
        discussion: """
            Finds the application in a folder (WordPress, Laravel, Symfony, Drupal, Joomla, Magento, or a .env), tries its \
            login, reads the account's limit, and looks at what this host allows. Then it says what it would do: write one \
            file of settings that only you may read, start 'headroom up', log in through the door, add one line to your \
            crontab, and change one line of the application. It does that when you say yes, or with --yes, and takes it all \
            back when a step fails. Nothing of it needs root.

            --undo takes everything back that has not been changed since, the application first.

            Examples:
              headroom setup --app ~/public_html --dry-run
              headroom setup --app ~/public_html
              headroom setup --undo
            """
    )

    @Option(
        help: ArgumentHelp(
            "The application's folder; by default this one, or public_html and its like in the home.",
            valueName: "folder"
        )
    )
    var app: String?

    @Option(
        help: ArgumentHelp(
            "Where Headroom's settings are to be; by default headroom.env in the home.",
            valueName: "file"
        )
    )
    var settings: String?

    @Option(
        help: ArgumentHelp(
            "Where the door is to listen: the path of a socket, by default headroom.sock in the home, or a port.",
            valueName: "place"
        )
    )
    var door: String?

    @Option(
        help: ArgumentHelp("How many connections all may hold together; by default all but one.", valueName: "count")
    )
    var budget: Int?

    @Flag(help: "Leave the application as it is, and only say what to change.")
    var noChange = false

    @Flag(help: "Ask nothing.")
    var yes = false

    @Flag(help: "Only say what would be done.")
    var dryRun = false

    @Flag(help: "Take back what was done, as far as it has not been changed since.")
    var undo = false

    func validate() throws {
        guard budget ?? 1 >= 1 else { throw ValidationError("--budget counts connections: 1 or more.") }
    }

    func run() async throws {
        try await runCommand {
            let host = SetupHost()
            let file = settings.map(Self.absolute) ?? "\(host.home)/headroom.env"
            if undo { return try await undo(SetupWork(reading: file)) }
            var wishes = SetupPlan.Wishes()
            (wishes.settingsFile, wishes.door, wishes.budget) = (file, door, budget)
            wishes.changesApplication = !noChange
            let found = try await host.find(app.map(Self.absolute))
            let plan = try SetupPlan(found, wishes)
            Self.say(found, plan)
            if dryRun { return }
            if !yes {
                guard let answer = try await Question.ask("Do it?") else {
                    throw DatabaseError(
                        .settingsInvalid,
                        message: "Nothing was done: nobody can be asked, as this is no terminal.",
                        advice: "Give --yes, or --dry-run."
                    )
                }
                guard answer else { return Console.print("Nothing was done.") }
            }
            try await carryOut(plan, found, file)
        }
    }

    private static func absolute(_ path: String) -> String {
        if path.begins(with: "/") {
            return path.utf8.count > 1 && path.ends(with: "/") ? String(path.dropLast()) : path
        }
        guard let folder = getcwd(nil, 0) else { return path }
        defer { free(folder) }
        let here = String(cString: folder)
        return path == "." || path.isEmpty ? here : "\(here)/\(path.ends(with: "/") ? String(path.dropLast()) : path)"
    }

    private static func say(_ found: SetupPlan.Found, _ plan: SetupPlan) {
        Console.print("\(found.kind.rawValue) in \(found.folder)")
        var facts = [["account", "\(found.settings.username) at \(found.settings.endpoint)"]]
        if case .other(let name) = found.pages { facts.append(["pages run as", name]) }
        for line in table(facts) { Console.print(line) }
        for note in plan.notes { Console.print("  \(note)") }
        Console.print("")
        Console.print("What is to be done")
        for (index, step) in plan.steps.enumerated() {
            let lines = step.words
            Console.print("  \(index + 1). \(lines[0])")
            for line in lines.dropFirst() { Console.print("       \(line)") }
        }
        sayByHand(plan)
    }

    private static func sayByHand(_ plan: SetupPlan) {
        guard !plan.byHand.isEmpty else { return }
        Console.print("")
        Console.print("What is left for you")
        for text in plan.byHand { Console.print("  - \(text)") }
    }

    private func carryOut(_ plan: SetupPlan, _ found: SetupPlan.Found, _ file: String) async throws {
        let work = try SetupWork(found, file)
        Console.print("")
        for step in plan.steps {
            do {
                try await work.carryOut(step, found)
                Console.print("done: \(step.words[0])")
            } catch {
                Failure.print(
                    error as? DatabaseError
                        ?? DatabaseError(.settingsInvalid, message: "\(step.words[0]): \(error)", advice: "")
                )
                Console.error("headroom: takes back what was done")
                try await undo(work)
                throw ExitCode(1)
            }
        }
        Console.print("")
        if plan.steps.contains(where: \.isChange) {
            Console.print(
                "The application goes through the door from its next page on; where opcache.validate_timestamps is 0, reload PHP."
            )
            if found.kind == .laravel { Console.print("Where its configuration is cached: php artisan config:cache") }
        }
        Self.sayByHand(plan)
        let flag = settings == nil ? "" : " --settings \(Escaping.shell(file))"
        Console.print("How it is:    headroom status --env-file \(Escaping.shell(file))")
        Console.print("Take it back: headroom setup --undo\(flag)")
    }

    private func undo(_ work: SetupWork) async throws {
        var isWhole = true
        for line in try await work.undo() {
            Console.print(line.text)
            isWhole = isWhole && line.isDone
        }
        guard isWhole else { throw ExitCode(1) }
    }
}

extension SetupPlan.Step {
    /// The step for people, and lines that belong to it.
    var words: [String] {
        switch self {
        case .writeSettings(let path, _): ["write \(path), which only you may read"]
        case .startUp: ["start 'headroom up', which keeps the door and the guard running"]
        case .logIn(let door): ["log in through the door at \(door)"]
        case .addToCrontab(let lines): ["add to your crontab"] + lines
        case .changeApplication(let edit): ["change line \(edit.line) of \(edit.path)", edit.shown]
        }
    }

    var isChange: Bool { if case .changeApplication = self { true } else { false } }
}

/// What a setup needs to know of this host and of the application.
struct SetupHost {
    let user: String
    let home: String

    init() {
        let entry = getpwuid(geteuid())
        user = entry.flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? ""
        let named = ProcessEnvironment.variables["HOME"].flatMap { $0.begins(with: "/") ? $0 : nil }
        home = named ?? entry.flatMap { $0.pointee.pw_dir }.map { String(cString: $0) } ?? "/"
    }

    /// Finds the application, and tries its login.
    func find(_ folder: String?) async throws -> SetupPlan.Found {
        let places =
            folder.map { [$0] } ?? ["", "/public_html", "/www", "/htdocs", "/httpdocs", "/web"].map { home + $0 }
        let here = folder == nil ? [SetupPath.current].compactMap(\.self) : []
        guard let folder = (here + places).first(where: { Application.find(in: $0) != nil }),
            let kind = Application.find(in: folder)
        else {
            throw DatabaseError(
                .settingsInvalid,
                message: "No application is found in \((here + places).joined(separator: ", ")).",
                advice: "Name its folder with --app: the one with wp-config.php, artisan, bin/console or .env in it."
            )
        }
        var sources = SettingsSources(environment: [:])
        sources.application = folder
        let loaded = try sources.loadTelling(program: "headroom setup")
        var found = SetupPlan.Found(kind: kind, folder: folder, settings: loaded.database)
        found.stateFolder = DatabaseSettings.stateFolderPath(loaded.database.stateFolder)
        (found.user, found.home) = (user, home)
        found.program = CompanionProgram.ownPath ?? "headroom"
        found.hasCron = HostCheckup.has("crontab")
        found.freePort = (3307...3399).first { DoorPlace("\($0)")?.isAlive == false } ?? found.freePort
        found.pools = PHPPool.ofThisHost
        var facts = stat()
        found.isHomeOpen = stat(home, &facts) == 0 && facts.st_mode & S_IXOTH != 0
        if let (path, isURL) = Self.place(loaded) {
            found.pages = PagesUser.ofThisHost(reading: path)
            do throws(SetupPath.Obstacle) {
                found.file = (path, try SetupPath.read(path, below: folder), isURL)
            } catch {
                Console.error("headroom: \(path) is not to be changed: \(error.reason)")
            }
        }
        try await Self.logIn(&found)
        return found
    }

    /// The file that says where the server is.
    private static func place(_ loaded: LoadedSettings) -> (path: String, isURL: Bool)? {
        let origin = (loaded.found.entry(.socket) ?? loaded.found.entry(.host))?.origin
        guard let origin, let path = origin.path else { return nil }
        return (path, origin.isOfURL)
    }

    private static func logIn(_ found: inout SetupPlan.Found) async throws {
        let report = try await AccountWatch(found.settings).report()
        found.limit = report.limit.value
        if let refusal = report.refusal {
            // That is what it is for.
            guard refusal.isConnectionLimit else { throw refusal }
            found.limit = found.limit ?? AccountSnapshot.last(found.settings)?.limit
            return
        }
        found.isMySQL = report.serverVersion.flatMap(ServerVersion.init)?.flavor == .mySQL
        found.hasQueue =
            (try? await Database(found.settings, share: .reserve)
                .withBriefConnection { try await JobsSchema.missingTables($0).isEmpty }) ?? false
    }
}
