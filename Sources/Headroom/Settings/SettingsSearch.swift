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
                // What stands beside it is of the same database, or of none that the application uses.
                let isAll =
                    layer.urlRule == .wins ? layer.urlName == SettingsLayer.frameworkURL : layer.urlRule == .replaces
                if isAll { search.found.layers[place] = layer.withoutLogin }
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
                (why, advice) = (
                    "goes over several lines",
                    "Close its quote on the line where it begins; in double quotes write \\\\n for \\n."
                )
            } else if !setting.isSecret, setting != .alertCommand, setting != .tlsPin,
                entry.value.holdsSetting(isOfOptionFile: found.layers[place].isOptionFile)
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
            let dialect = dialect ?? Self.dialect(of: folder)
            let content = try SettingsFile.content(path)
            var stranger = content.stranger
            if PHPFile.isOne(content.bytes) {
                return search.add(try PHPSettings(content.bytes, path: path), isNamed: isNamed, stranger)
            }
            // A file of another user's is not told what this user's environment holds: it would say it to a server of its own.
            let environment = isNamed || stranger == nil ? search.environment : [:]
            var file = EnvFile(dialect, environment: environment)
            file.read(content.bytes, path: path)
            // Those that its framework reads after it, those that win last.
            func readFurther(_ further: String) throws {
                guard SettingsFile.isFile(further) else { return }
                let content = try SettingsFile.content(further)
                stranger = stranger ?? content.stranger
                file.read(content.bytes, path: further)
            }
            let usual = "\(folder)/.env"
            if dialect == .bedrock, name == ".env" { try readFurther("\(usual).local") }
            if dialect == .symfony, name == ".env" || name == ".env.dist" {
                func mode() -> String { environment["APP_ENV"] ?? file.entries["APP_ENV"]?.value ?? "dev" }
                if mode() != "test" { try readFurther("\(usual).local") }
                // Which may have said it.
                let mode = mode()
                if mode != "local", Self.isPlain(mode) {
                    try readFurther("\(usual).\(mode)")
                    try readFurther("\(usual).\(mode).local")
                }
            }
            if dialect == .laravel, SettingsFile.exists("\(folder)/bootstrap/cache/config.php") {
                search.found.warnings.append(
                    "\(path) may not be what the application goes by: Laravel reads \(folder)/bootstrap/cache/config.php "
                        + "instead until 'php artisan config:clear'"
                )
            }
            if name == ".env", let other = Self.envFile(of: folder, environment), RegularFile.parts(other).name != name
            {
                search.found.warnings.append("\(path) is not what the application goes by, which is \(other)")
            }
            search.found.warnings += file.warnings
            search.found.problems += file.problems
            var layer = SettingsLayer(file.settings(path: path))
            layer.urlRule = dialect == .laravel ? .wins : dialect == .common ? .fills : .replaces
            layer.isOfPHP = dialect == .bedrock
            if dialect == .bedrock { layer.urlEscapes = .none }
            if dialect == .symfony, let text = try? SettingsFile.read("\(folder)/config/packages/doctrine.yaml"),
                text.holds("resolve:")
            {
                layer.urlEscapes = .doublePercent
            }
            search.add(layer, isNamed: isNamed, stranger)
        }
    }

    private mutating func add(_ php: PHPSettings, isNamed: Bool, _ stranger: String?) {
        found.warnings += php.warnings
        func isSaid(_ settings: Setting...) -> Bool {
            found.layers.contains { layer in settings.contains { layer[$0] != nil } }
        }
        for (setting, problem) in php.unreadable {
            let isPlace = [Setting.host, .port, .socket].contains(setting)
            if isSaid(.ownURL) || (isPlace ? isSaid(.host, .socket, .server) : isSaid(setting)) { continue }
            if isPlace { found.wrongServer = problem } else { found.problems.append(problem) }
        }
        var layer = SettingsLayer(php.entries)
        layer.isOfPHP = true
        add(layer, isNamed: isNamed, stranger)
    }

    private mutating func add(_ layer: SettingsLayer, isNamed: Bool, _ stranger: String?) {
        var layer = layer
        layer.stranger = stranger
        if !isNamed { layer.trust = stranger == nil ? .own : .foreign }
        for path in layer.pathsOfSecrets { warnIfReadable(path) }
        add(layer)
    }

    private static func dialect(of folder: String) -> EnvFile.Dialect {
        if SettingsFile.exists("\(folder)/artisan") { return .laravel }
        if SettingsFile.exists("\(folder)/bin/console") { return .symfony }
        let isBedrock = ["config/application.php", "web/wp-config.php"]
            .allSatisfy { SettingsFile.exists("\(folder)/\($0)") }
        return isBedrock ? .bedrock : .common
    }

    /// The file in which the application in a folder has its environment; `nil` when there is none.
    static func envFile(of folder: String, _ environment: [String: String]) -> String? {
        var path = "\(folder)/.env"
        switch dialect(of: folder) {
        case .laravel: path = laravelFile(folder, environment) ?? path
        case .symfony:
            // What was dumped holds unless it is for another environment than this.
            let dumped = "\(path).local.php"
            if let content = try? SettingsFile.content(dumped) {
                let mode = PHPFile(content.bytes).value("return", "APP_ENV")?.value
                if mode == nil || environment["APP_ENV"].map({ mode == .text($0) }) ?? true { return dumped }
            }
            if !SettingsFile.isFile(path) { path += ".dist" }
        case .bedrock, .common: break
        }
        return SettingsFile.isFile(path) ? path : nil
    }

    /// The file that Laravel reads in the place of `.env`.
    private static func laravelFile(_ folder: String, _ environment: [String: String]) -> String? {
        guard let mode = environment["APP_ENV"], isPlain(mode), SettingsFile.isFile("\(folder)/.env.\(mode)") else {
            return nil
        }
        return "\(folder)/.env.\(mode)"
    }

    /// Whether a word leads to no other folder.
    private static func isPlain(_ word: String) -> Bool {
        !word.isEmpty && word.utf8.allSatisfy { EnvFile.isOfName($0) }
    }

    /// Adds the settings of the application in a folder: of Laravel, Symfony, WordPress, Drupal, Joomla, Magento, or a `.env`.
    mutating func addApplication(_ folder: String) {
        // Who names the file itself means it.
        if SettingsFile.isFile(folder) { return addEnvFile(folder) }
        let folder = folder.utf8.count > 1 && folder.utf8.last == UInt8(ascii: "/") ? String(folder.dropLast()) : folder
        guard let (_, path) = Self.application(in: folder, environment) else {
            return attempt { _ in
                throw DatabaseError(
                    .settingsInvalid,
                    message: "No settings of an application are found in the folder \(folder).",
                    advice:
                        "Looked for: .env, \(Self.marks.map(\.path).joined(separator: ", ")). Name the file itself with "
                        + "--env-file."
                )
            }
        }
        addEnvFile(path)
    }

    private static let marks: [(kind: Application, path: String)] = [
        (.wordPress, "wp-config.php"), (.drupal, "sites/default/settings.php"),
        (.drupal, "web/sites/default/settings.php"),
        (.drupal, "docroot/sites/default/settings.php"), (.joomla, "configuration.php"), (.magento, "app/etc/env.php"),
    ]

    /// The file in which the application in a folder says where its database is, with its kind; `nil` when there is none.
    static func application(in folder: String, _ environment: [String: String]) -> (kind: Application, path: String)? {
        var files = marks.map { (kind: $0.kind, path: "\(folder)/\($0.path)") }
        // WordPress looks one folder up as well, where that is no WordPress of its own.
        if SettingsFile.exists("\(folder)/wp-load.php"), !SettingsFile.exists("\(folder)/../wp-settings.php") {
            files.insert((.wordPress, "\(folder)/../wp-config.php"), at: 1)
        }
        if let env = envFile(of: folder, environment) {
            switch dialect(of: folder) {
            case .laravel: files.insert((.laravel, env), at: 0)
            case .symfony: files.insert((.symfony, env), at: 0)
            case .bedrock: files.insert((.bedrock, env), at: 0)
            case .common: files.append((.other, env))
            }
        }
        return files.first { SettingsFile.isFile($0.path) }
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
            (layer.isOverTCP, layer.asksForTLS, layer.unchecked) = (file.isOverTCP, file.asksForTLS, file.unchecked)
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
        lookForOtherEngines()
        let verifies =
            (found.entry(.tlsPin) ?? found.entry(.tlsAuthorities)) != nil
            || found.entry(.tlsMode)?.value.lowercased().hasPrefix("verify") ?? false
        for (name, origin) in found.layers.flatMap(\.unchecked) {
            let why = "\(name) in \(origin) is not looked at by Headroom"
            if verifies || name.holds("crl") {
                found.warnings.append(why)
            } else {
                let advice = "Set HEADROOM_TLS_PIN, or HEADROOM_TLS_MODE=verify_ca with HEADROOM_TLS_CA."
                found.problems.append(
                    DatabaseError(
                        .settingsInvalid,
                        message: "\(why), and nothing else makes sure of the server.",
                        advice: advice
                    )
                )
            }
        }
        for layer in found.layers {
            for miss in layer.nearMisses where found.entry(miss.setting) == nil {
                let sentence = "\(miss.name) in \(miss.origin) is not read: the name is \(miss.setting.name)"
                // A login is not tried on this machine where another one was meant.
                if miss.setting == .host, found.place == nil, found.entry(.server) == nil, found.entry(.username) != nil
                {
                    found.wrongServer = DatabaseError(
                        .settingsInvalid,
                        message: "\(sentence).",
                        advice: "Set DB_HOST, or DB_SOCKET."
                    )
                } else {
                    found.warnings.append(sentence)
                }
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

    /// Looks for settings of another kind of database, which are not tried on a MySQL or MariaDB server.
    private mutating func lookForOtherEngines() {
        let said = SettingsLayer.engineNames.compactMap { name -> (Int, String, SettingsLayer.Entry)? in
            guard let place = found.layers.firstIndex(where: { $0.entries[name] != nil }) else { return nil }
            return found.layers[place].entries[name].map { (place, name, $0) }
        }
        guard let (place, name, entry) = said.first(where: { SettingsLayer.otherEngine($0.2.value) != nil }),
            let engine = SettingsLayer.otherEngine(entry.value)
        else { return }
        let isUsed = found.layers[place...]
            .contains { layer in
                [Setting.host, .socket, .username, .password]
                    .contains { setting in
                        guard let entry = layer[setting], !layer.isOptionFile, !entry.origin.isOfURL else {
                            return false
                        }
                        return entry.origin == found.entry(setting)?.origin
                    }
            }
        let what = "\(name) in \(entry.origin) says that the settings beside it are for \(engine)"
        if isUsed {
            let advice =
                "For an account of MySQL or MariaDB set HEADROOM_DATABASE_URL, or all of DB_HOST, DB_USERNAME and DB_PASSWORD "
                + "in the environment."
            found.wrongServer = DatabaseError(
                .settingsInvalid,
                message: "\(what), not MySQL or MariaDB.",
                advice: advice
            )
        } else if !found.layers.contains(where: \.saysAnything) {
            found.warnings.append("\(what), not MySQL or MariaDB")
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
