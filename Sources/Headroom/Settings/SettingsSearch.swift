/// Gathers the settings' sources, the loudest first, and what is wrong with them.
struct SettingsSearch {
    private(set) var found = FoundSettings()

    /// Adds a source, with what its files and its URL say.
    mutating func add(_ layer: SettingsLayer) {
        // Some of them are enough, of a file that is none of settings.
        let unknown = layer.entries.filter { Setting.isUnknown($0.key) }.sorted { $0.key < $1.key }.prefix(10)
        for (name, entry) in unknown {
            let near = NearestName.to(name, in: Setting.names)
            found.problems.append(
                DatabaseError(
                    .settingsInvalid,
                    message: "\(name.shortened) in \(entry.origin) is no setting of Headroom's.",
                    advice: near.map { "Did you mean \($0)?" } ?? "'headroom config list' names them all."
                )
            )
        }
        // What else it says can be used all the same, and shown.
        let place = found.layers.count
        found.layers.append(layer)
        attempt { search in
            search.found.layers[place] = try layer.resolvingFiles { path in search.warnIfReadable(path) }.resolvingURL()
        }
        takeOutWhatIsNoText(place)
    }

    /// Takes out values that would be cut or mangled on their way: the C client and the system end a text at a NUL.
    private mutating func takeOutWhatIsNoText(_ place: Int) {
        for setting in Setting.all {
            guard let entry = found.layers[place][setting],
                entry.value.unicodeScalars.contains(where: { $0 == "\0" || $0 == "\u{FFFD}" })
            else { continue }
            found.layers[place].entries[setting.name] = nil
            found.problems.append(
                DatabaseError(
                    .settingsInvalid,
                    message:
                        "\(setting.name) in \(entry.origin) is no text: it holds a NUL, or is not written in UTF-8.",
                    advice: "Write the file in UTF-8."
                )
            )
        }
    }

    /// Adds a `.env` file.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isNamed: Whether somebody named it, and it was not just found.
    mutating func addEnvFile(_ path: String, isNamed: Bool = true) {
        attempt { search in
            let content = try SettingsFile.content(path)
            var layer = SettingsLayer(try EnvFile.parse(content.bytes, path: path))
            layer.stranger = content.stranger
            if !isNamed { layer.trust = content.stranger == nil ? .own : .foreign }
            if Setting.all.contains(where: { $0.isSecret && layer[$0] != nil }) { search.warnIfReadable(path) }
            search.add(layer)
        }
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
            layer.stranger = file.stranger
            if !isNamed, file.stranger != nil { layer.trust = .foreign }
            for (name, entry) in layer.entries where Setting.all.contains(where: { $0.isSecret && $0.name == name }) {
                if let path = entry.origin.path { search.warnIfReadable(path) }
            }
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
        let warning = "\(path) holds a password and every user of this machine may read it: chmod 640 \(path)"
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
