/// Gathers the settings' sources, the loudest first, and what is wrong with them.
struct SettingsSearch {
    private(set) var found = FoundSettings()

    private let environment: [String: String]
    private var unusableURLs: [DatabaseURL.Unusable] = []

    /// Creates a search.
    ///
    /// - Parameter environment: What files may mean by `${NAME}`, and which of several files count.
    init(environment: [String: String] = [:]) {
        self.environment = environment
    }

    /// Adds a source, with what its files and its URL say.
    mutating func add(_ layer: SettingsLayer) {
        // Some of them are enough, of a file that is none of settings.
        let unknown = layer.entries.filter { Setting.isUnknown($0.key, $0.value.value) }.sorted { $0.key < $1.key }
            .prefix(10)
        for (name, entry) in unknown {
            let near = NearestName.to(name, in: Setting.names)
            let message = "\(Setting.shownName(name)) in \(entry.origin) is no setting of Headroom's."
            let advice = near.map { "Did you mean \($0)?" } ?? "'headroom config list' names them all."
            // A misspelt one must not have a password sent without encryption, or the budget of others taken.
            let isOfTLS = ["TLS", "SSL", "CERT", "VERIFY"].contains { name.holds($0) }
            if isOfTLS || Setting.all.contains(where: { $0.name == near && $0.isGuarding }) {
                found.problems.append(DatabaseError(.settingsInvalid, message: message, advice: advice))
            } else {
                found.warnings.append("\(message) \(advice)")
            }
        }
        // What else it says can be used all the same, and shown.
        let place = found.layers.count
        found.layers.append(layer)
        attempt { search in
            let layer = try layer.resolvingFiles { path in search.warnIfReadable(path) }
            search.found.layers[place] = layer
            do {
                search.found.layers[place] = try layer.resolvingURL { search.found.warnings.append($0) }
            } catch let unusable as DatabaseURL.Unusable {
                search.unusableURLs.append(unusable)
            }
            search.found.layers[place] = search.found.layers[place].resolvingHost
        }
        takeOutWhatIsNoText(place)
    }

    /// Takes out values that would be cut or mangled on their way, or that have swallowed other lines.
    ///
    /// The C client and the system end a text at a NUL. A value of several lines that is no secret may hold a password of the
    /// lines below it, and is shown to nobody.
    private mutating func takeOutWhatIsNoText(_ place: Int) {
        for setting in Setting.all {
            guard let entry = found.layers[place][setting] else { continue }
            let scalars = entry.value.unicodeScalars
            let (why, advice): (String, String)
            if scalars.contains(where: { $0 == "\0" || $0 == "\u{FFFD}" }) {
                (why, advice) = ("is no text: it holds a NUL, or is not written in UTF-8", "Write the file in UTF-8.")
            } else if !setting.isSecret, scalars.contains(where: \.endsLine) {
                (why, advice) = ("goes over several lines", "Close its quote on the line where it begins.")
            } else if !setting.isSecret, setting != .alertCommand, setting != .tlsPin,
                entry.value.utf8.contains(UInt8(ascii: "="))
                    || entry.value.holdsSecretName(isOfOptionFile: found.layers[place].isOptionFile)
            {
                (why, advice) = ("has another setting in it", "Write each on a line of its own.")
            } else {
                continue
            }
            found.layers[place].entries[setting.name] = nil
            found.problems.append(
                DatabaseError(
                    .settingsInvalid,
                    message: "\(setting.name) in \(entry.origin) \(why).",
                    advice: advice
                )
            )
        }
    }

    /// Adds a `.env` file, with those that its framework reads beside it.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isNamed: Whether somebody named it, and it was not just found.
    ///   - dialect: Whose reading holds; `nil`, the default, sees what lies beside it.
    mutating func addEnvFile(_ path: String, isNamed: Bool = true, as dialect: EnvFile.Dialect? = nil) {
        attempt { search in
            let (folder, name) = RegularFile.parts(path)
            let dialect =
                dialect
                ?? (SettingsFile.exists("\(folder)/artisan")
                    ? .laravel : SettingsFile.exists("\(folder)/bin/console") ? .symfony : .common)
            let (isLaravel, isSymfony) = (dialect == .laravel, dialect == .symfony)
            let dumped = "\(path).local.php"
            let isDumped = isSymfony && name == ".env" && SettingsFile.exists(dumped)
            let path = isDumped ? dumped : path
            let content = try SettingsFile.content(path)
            var stranger = content.stranger
            if PHPFile.isOne(content.bytes) {
                let php = try PHPSettings(content.bytes, path: path)
                search.found.warnings += php.warnings
                let isElsewhere = search.found.layers.contains {
                    ($0[.host] ?? $0[.socket] ?? $0[.server] ?? $0[.ownURL]) != nil
                }
                if let problem = php.unreadablePlace, !isElsewhere { search.found.problems.append(problem) }
                return search.add(php.entries, isNamed: isNamed, stranger)
            }
            // A file of another user's is not told what this user's environment holds: it would say it to a server of its own.
            let environment = isNamed || stranger == nil ? search.environment : [:]
            var file = EnvFile(dialect, environment: environment)
            file.read(content.bytes, path: path)
            if isSymfony, name == ".env" {
                for further in Self.furtherFiles(of: path, file.entries["APP_ENV"]?.value, environment) {
                    let content = try SettingsFile.content(further)
                    stranger = stranger ?? content.stranger
                    file.read(content.bytes, path: further)
                }
            }
            if isLaravel, SettingsFile.exists("\(folder)/bootstrap/cache/config.php") {
                search.found.warnings.append(
                    "\(path) may not be what the application goes by: Laravel reads \(folder)/bootstrap/cache/config.php "
                        + "instead until 'php artisan config:clear'"
                )
            }
            search.found.warnings += file.warnings
            search.found.problems += file.problems
            search.add(file.entries, isNamed: isNamed, stranger, prefersURL: isLaravel)
        }
    }

    private mutating func add(
        _ entries: [String: SettingsLayer.Entry],
        isNamed: Bool,
        _ stranger: String?,
        prefersURL: Bool = false
    ) {
        var layer = SettingsLayer(entries)
        layer.prefersURL = prefersURL
        layer.stranger = stranger
        if !isNamed { layer.trust = stranger == nil ? .own : .foreign }
        for path in layer.pathsOfSecrets { warnIfReadable(path) }
        add(layer)
    }

    /// Adds the settings of the application in a folder: of Laravel, Symfony, WordPress, Drupal, Joomla, Magento, or a `.env`.
    mutating func addApplication(_ folder: String) {
        let folder = folder.utf8.count > 1 && folder.utf8.last == UInt8(ascii: "/") ? String(folder.dropLast()) : folder
        let marks = Application.allCases.flatMap(\.marks)
        guard let (_, mark) = Application.find(in: folder) else {
            return attempt { _ in
                throw DatabaseError(
                    .settingsInvalid,
                    message: "No settings of an application are found in the folder \(folder).",
                    advice: "Looked for: \(marks.joined(separator: ", ")). Name the file itself with --env-file."
                )
            }
        }
        addEnvFile("\(folder)/\(mark == "artisan" || mark == "bin/console" ? ".env" : mark)")
    }

    /// The files that symfony/dotenv reads after `.env`, those that win last.
    private static func furtherFiles(of path: String, _ own: String?, _ environment: [String: String]) -> [String] {
        let name = environment["APP_ENV"] ?? own ?? "dev"
        let local = name == "test" ? [] : ["\(path).local"]
        let isPlain = name != "local" && !name.isEmpty && name.utf8.allSatisfy { EnvFile.isOfName($0) }
        return (local + (isPlain ? ["\(path).\(name)", "\(path).\(name).local"] : [])).filter(SettingsFile.exists)
    }

    /// Adds a MySQL option file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isNamed: Whether somebody named it, and it is not just where the tools look: there it has to be the user's own.
    mutating func addOptionFile(_ path: String, isNamed: Bool = true) {
        attempt { search in
            let file = try OptionFile(path: path, isNamed: isNamed)
            search.found.warnings += file.warnings
            var layer = SettingsLayer(file.entries)
            layer.isOptionFile = true
            layer.isOverTCP = file.isOverTCP
            layer.stranger = file.stranger
            if !isNamed, file.stranger != nil { layer.trust = .foreign }
            for path in layer.pathsOfSecrets { search.warnIfReadable(path) }
            search.add(layer)
        }
    }

    /// Adds the secrets that systemd gave to the service (`LoadCredential=`, `SetCredential=`).
    mutating func addCredentials(_ folder: String?) {
        guard let folder else { return }
        attempt { search in
            var layer = SettingsLayer()
            for setting in Setting.all {
                for path in setting.credentialNames.map({ "\(folder)/\($0)" }) where layer[setting] == nil {
                    guard SettingsFile.exists(path) else { continue }
                    let value = try SettingsFile.read(path).secretLine
                    guard !value.isEmpty else { continue }
                    let origin = SettingOrigin(place: .credential, path: path)
                    layer.entries[setting.name] = SettingsLayer.Entry(value: value, origin: origin)
                }
            }
            search.add(layer)
        }
    }

    /// Looks for settings that cannot all be meant.
    mutating func lookForContradictions() {
        // Another program's URL is no obstacle where other settings say it all.
        let isComplete = found.entry(.username) != nil && found.place != nil
        for url in unusableURLs {
            if isComplete, url.mayBePassedOver {
                found.warnings.append(
                    "\(url.problem.message) It is passed over: other settings say where the database is"
                )
            } else {
                found.problems.append(url.problem)
            }
        }
        for layer in found.layers {
            for miss in layer.nearMisses where found.entry(miss.setting) == nil {
                found.warnings.append("\(miss.name) in \(miss.origin) is not read: the name is \(miss.setting.name)")
            }
        }
        if let place = found.place, place[.socket] == nil, place[.host]?.value == "localhost",
            let (port, origin) = found.entry(.port), port != Setting.port.example,
            !found.isLocalhostTCP(place, for: found.passwordTrust(.database))
        {
            found.warnings.append(
                "DB_PORT in \(origin) is not used: DB_HOST=localhost means the server's socket, as it does to PHP, and "
                    + "DB_HOST=127.0.0.1 means TCP"
            )
        }
        let second: [Setting] = [.adminUsername, .adminHost, .adminPort, .adminSocket]
        if let (_, origin) = found.entry(.adminPassword), !second.contains(where: { found.entry($0) != nil }) {
            found.problems.append(
                DatabaseError(
                    .settingsInvalid,
                    message: "HEADROOM_ADMIN_PASSWORD in \(origin) is set, but nothing says whose password it is.",
                    advice: "Set HEADROOM_ADMIN_USERNAME, or take the password out."
                )
            )
        }
        if found.entry(.tlsAuthorities) != nil, let (mode, origin) = found.entry(.tlsMode),
            let word = Setting.tlsMode.normalized(mode), !word.hasPrefix("verify")
        {
            found.warnings.append(
                "HEADROOM_TLS_CA is set, but HEADROOM_TLS_MODE in \(origin) is \(word), which checks no certificate: "
                    + "verify_ca and verify_identity do"
            )
        }
    }

    /// Tells what counts for nothing, as its source is not trusted enough.
    mutating func tellWhatIsPassedOver() {
        for value in found.passedOver {
            if value.isProblem {
                found.problems.append(
                    DatabaseError(.settingsInvalid, message: "\(value.sentence).", advice: value.advice)
                )
            } else {
                found.warnings.append("\(value.sentence). \(value.advice)")
            }
        }
    }

    private mutating func warnIfReadable(_ path: String) {
        guard SettingsFile.isWorldReadable(path) else { return }
        let warning = "\(path) holds a password and every user of this machine may read it: \(SettingsFile.cure(path))"
        if !found.warnings.contains(warning) { found.warnings.append(warning) }
    }

    private mutating func attempt(_ body: (inout Self) throws -> Void) {
        do {
            try body(&self)
        } catch {
            // Everything here throws this one.
            if let error = error as? DatabaseError { found.problems.append(error) }
        }
    }
}
