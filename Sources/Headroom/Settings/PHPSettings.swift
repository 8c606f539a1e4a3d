/// The database's settings in the PHP files of applications.
struct PHPSettings {
    private(set) var entries: [String: SettingsLayer.Entry] = [:]
    private(set) var warnings: [String] = []

    /// What the file says in a way that is not read: nothing else may be taken for it, unless a louder source says it.
    private(set) var unreadable: [(setting: Setting, problem: DatabaseError)] = []

    /// Words by which these files ask for TLS; which of them holds, and with what certificates, is not read.
    private static let asksForTLS = ["MYSQLI_CLIENT_SSL", "MYSQL_ATTR_SSL_", "MYSQL_CLIENT_SSL"]

    /// Reads WordPress' wp-config.php, Drupal's settings.php, Joomla's configuration.php, Magento's env.php, and Symfony's
    /// .env.local.php.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when the file is none of these.
    init(_ bytes: [UInt8], path: String) throws {
        let file = PHPFile(bytes)
        typealias Name = (setting: Setting, name: String, place: PHPFile.Place?)
        let wordPress: [Name] = [
            (.database, "DB_NAME"), (.username, "DB_USER"), (.password, "DB_PASSWORD"), (.host, "DB_HOST"),
        ]
        .map { ($0, $1, file.value("const", $1)) }
        let places: [(Setting, String)] = [
            (.username, "username"), (.password, "password"), (.host, "host"), (.port, "port"),
            (.socket, "unix_socket"),
        ]
        let drupal: [Name] = ([(.database, "database")] + places)
            .map { ($0, $1, file.value("$databases", "default", "default", $1)) }
        let magento: [Name] = ([(.database, "dbname")] + places)
            .map { ($0, $1, file.value("return", "db", "connection", "default", $1)) }
        let joomla: [Name] =
            file.value("class", "db") == nil
            ? []
            : [(.database, "db"), (.username, "user"), (.password, "password"), (.host, "host")]
                .map { ($0, $1, file.value("class", $1)) }
        for (setting, name, place) in wordPress + drupal + magento + joomla { take(setting, name, place, path) }
        if case .text(let encryption)? = file.value("class", "dbencryption")?.value, encryption != "0" {
            requireTLS(path)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if Self.asksForTLS.contains(where: { text.holds($0) }) { requireTLS(path) }
        if file.value("return")?.value != .unknown {
            for setting in Setting.all { take(setting, setting.name, file.value("return", setting.name), path) }
        }
        if file.readsOthers || file.hasUnknownNames {
            let others = file.readsOthers ? "includes other files" : "defines names that only PHP can tell"
            warnings.append("\(path) \(others), which are not read: they may say otherwise")
            let places: [Setting] = [.host, .socket, .url]
            if !entries.isEmpty, unreadable.isEmpty, !places.contains(where: { entries[$0.name] != nil }) {
                fail(.host, "\(path) \(others), and says itself nothing of the server")
            }
        }
        for engine in [file.value("$databases", "default", "default", "driver"), file.value("class", "dbtype")] {
            if case .text(let text)? = engine?.value, let name = SettingsLayer.otherEngine(text) {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "\(path) is about another kind of database than MySQL and MariaDB: \(name).",
                    advice:
                        "Name the settings of the MySQL or MariaDB account, if there is one: DB_HOST, DB_USERNAME, DB_PASSWORD."
                )
            }
        }
        guard entries.isEmpty, unreadable.isEmpty else { return }
        throw DatabaseError(
            .settingsInvalid,
            message: "\(path) is PHP, and none of the settings of a database are found in it.",
            advice:
                "Known are wp-config.php, Drupal's settings.php, Joomla's configuration.php and Magento's env.php, with plain "
                + "values: no PHP is run. Else set DB_HOST, DB_USERNAME, DB_PASSWORD and DB_DATABASE."
        )
    }

    private mutating func take(_ setting: Setting, _ name: String, _ place: PHPFile.Place?, _ path: String) {
        guard let place else { return }
        guard case .text(let value) = place.value else {
            return fail(
                setting,
                "\(name) in line \(place.line) of \(path) is no plain value, or stands in a branch or a function: no PHP is run"
            )
        }
        let origin = SettingOrigin(place: .file(line: place.line), path: path)
        entries[setting.name] = SettingsLayer.Entry(value: value, origin: origin)
    }

    private mutating func fail(_ setting: Setting, _ why: String) {
        let problem = DatabaseError(
            .settingsInvalid,
            message: "\(why).",
            advice: setting == .host || setting == .socket || setting == .port
                ? "Set DB_HOST or DB_SOCKET in the environment, or use --host or --socket."
                : "Set \(setting.name) in the environment."
        )
        unreadable.append((setting, problem))
    }

    /// Has the connection encrypted, as the application's is; the settings of Headroom's own say how it is verified.
    private mutating func requireTLS(_ path: String) {
        guard !entries.isEmpty, entries[Setting.tlsMode.name] == nil else { return }
        let origin = SettingOrigin(place: .file(line: 1), path: path)
        entries[Setting.tlsMode.name] = SettingsLayer.Entry(value: "required", origin: origin)
        warnings.append(
            "\(path) asks for TLS, so it is required; HEADROOM_TLS_MODE and HEADROOM_TLS_CA say how it is verified"
        )
    }
}
