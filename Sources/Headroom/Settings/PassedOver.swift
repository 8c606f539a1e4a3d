/// A value that counts for nothing, as its source is not trusted enough with it.
struct PassedOver {
    /// The setting.
    var setting: Setting
    /// What it would have been taken for: never the value, which may be a secret.
    var sentence: String
    /// What to do.
    var advice: String
    /// The same in a few words, for the setting's row.
    var note: String
    /// Whether nothing goes without it: what is said points at two servers.
    var isProblem = false
}

extension FoundSettings {
    /// What some source says and is not trusted with, where that makes a difference.
    var passedOver: [PassedOver] {
        Setting.all.compactMap { setting in
            switch setting.trust {
            case .harmless: nil
            case .pathOrCommand: passedOverAlways(setting)
            case .place: passedOverForPassword(setting)
            }
        } + Setting.all.compactMap(passedOverFile) + [secondAccountLeftOut].compactMap(\.self)
    }

    /// A path or a command in a file that nobody named.
    private func passedOverAlways(_ setting: Setting) -> PassedOver? {
        guard entry(setting) == nil, let layer = layers.first(where: { $0[setting] != nil }) else { return nil }
        return layer[setting].map { unnamed(setting, setting.name, $0.origin, setting.trust, layer) }
    }

    /// A secret's file in a file that nobody named.
    private func passedOverFile(_ setting: Setting) -> PassedOver? {
        guard entry(setting) == nil, let name = setting.fileName,
            let layer = layers.first(where: { !$0.mayNameFiles && $0.entries[name] != nil })
        else { return nil }
        return layer.entries[name].map { unnamed(setting, $0.origin.name ?? name, $0.origin, .secretFile, layer) }
    }

    private func unnamed(
        _ setting: Setting,
        _ name: String,
        _ origin: SettingOrigin,
        _ trust: Setting.Trust,
        _ layer: SettingsLayer
    ) -> PassedOver {
        var origin = origin
        if origin.name == name { origin.name = nil }
        return PassedOver(
            setting: setting,
            sentence: "\(name) in \(origin) is passed over: \(trust.reason), and nobody named that file",
            advice: layer.naming(origin),
            note: "\(name) in \(origin) is passed over, as nobody named that file"
        )
    }

    /// A part of the server's place, or of how it is encrypted, for a password that is trusted more.
    private func passedOverForPassword(_ setting: Setting) -> PassedOver? {
        let password = passwordTrust(setting.group)
        guard let layer = layers.first(where: { $0[setting] != nil }), let entry = layer[setting],
            !layer.trust.mayGive(setting.trust, toPasswordFrom: password), makesDifference(setting.group),
            let holder = [Setting.adminPassword, .password].lazy
                .filter({ setting.group == .secondAccount || $0 == .password }).compactMap({ self.entry($0) }).first
        else { return nil }
        // Where an option file names no host, it means this machine, as for the servers' own tools. Any other password goes
        // nowhere rather than to a server that nobody named.
        let isOfOptionFile = layers.first { $0[.password] != nil }?.isOptionFile ?? false
        let isPlace = setting == .host || setting == .socket
        return PassedOver(
            setting: setting,
            sentence:
                "\(setting.name) in \(entry.origin) is passed over: \(setting.trust.reason), the password is in "
                + "\(holder.origin), and \(layer.stranger ?? "another user may have written the file")",
            advice: "Set \(setting.name) where the password is, or n\(layer.naming(entry.origin).dropFirst())",
            note: "\(setting.name) in \(entry.origin) is passed over, as \(layer.stranger ?? "it is another user's")",
            isProblem: isPlace && place == nil && !isOfOptionFile
        )
    }

    /// Whether anything would be otherwise if all sources were trusted.
    private func makesDifference(_ group: Setting.Group) -> Bool {
        var open = self
        open.trustsAll = true
        switch group {
        case .secondAccount: return (try? secondPlaces()) != (try? open.secondPlaces())
        case .encryption:
            guard let place = try? places()[0] else { return true }
            return (try? tls(for: place, password: passwordTrust(.database)))
                != (try? open.tls(for: place, password: nil))
        default: return (try? places()) != (try? open.places())
        }
    }

    /// A second account whose password would go where only a source says that is trusted less.
    private var secondAccountLeftOut: PassedOver? {
        guard let password = entry(.adminPassword), let place,
            let places = try? places(), let own = try? self.places(for: passwordTrust(.secondAccount)), places != own,
            (try? secondPlaces()) == nil
        else { return nil }
        return PassedOver(
            setting: .adminPassword,
            sentence: "The second account is not used: its password is in \(password.origin), and only "
                + "\((place[.socket] ?? place[.host])?.origin.path ?? "another file") says where the server is: "
                + "\(place.stranger ?? "another user may have written that file")",
            advice: "Set HEADROOM_ADMIN_HOST or HEADROOM_ADMIN_SOCKET where that password is, or name the file.",
            note: "not used, as a less trusted source says where the server is"
        )
    }
}

extension SettingsLayer {
    /// How to have everything of the layer's file count.
    fileprivate func naming(_ origin: SettingOrigin) -> String {
        "Name the file, if it is yours: \(isOptionFile ? "--defaults-file" : "--env-file") \(origin.path ?? "")."
    }
}

extension String {
    /// Whether another setting stands in it, whose line has run together with its own; a value such as `a=b` may be meant.
    func holdsSetting(isOfOptionFile: Bool) -> Bool {
        if holdsSecretName(isOfOptionFile: isOfOptionFile) { return true }
        // Names of the environment are in capitals, those of option files in small letters.
        let letters: ClosedRange<Unicode.Scalar> = isOfOptionFile ? "a"..."z" : "A"..."Z"
        return pieces(separator: "=", omittingEmptySubsequences: false).dropLast()
            .contains { $0.unicodeScalars.filter { letters.contains($0) }.count > 2 }
    }

    /// Whether the name of a secret stands in it, and a value behind that: what it was taken for is not shown.
    ///
    /// - Parameter isOfOptionFile: Whether it is of an option file, where names are in small letters.
    /// - Returns: Whether it may be shown to nobody.
    func holdsSecretName(isOfOptionFile: Bool = false) -> Bool {
        // Two lines have become one, and perhaps the sign of equality is lost as well.
        if ["_PASSWORD", "_URL", "_PWD", "_TOKEN", "_WEBHOOK"].contains(where: { holds($0) }) { return true }
        if isOfOptionFile, lowercased().holds("password") { return true }
        let text = lowercased()
        return ["pass", "pwd", "token", "webhook", "_url"]
            .contains { name in
                guard let place = text.place(of: name) else { return false }
                return text[place.upperBound...].unicodeScalars.contains { $0 == "=" || $0 == ":" || $0 == " " }
            }
    }

    /// The text, cut where it is longer than anything that somebody meant.
    var shortened: String {
        unicodeScalars.count <= 200 ? self : String(String.UnicodeScalarView(unicodeScalars.prefix(200))) + "..."
    }
}
