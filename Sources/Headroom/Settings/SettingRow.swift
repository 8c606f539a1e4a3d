/// A setting with the value in force, as `headroom config show` prints it.
package struct SettingRow: Sendable {
    /// The setting.
    package var setting: Setting

    /// The value that was found, or the default in words; `nil` for a secret.
    package var value: String?

    /// Where the value stands; `nil` for the default.
    package var origin: SettingOrigin?

    /// What is to be said of it, such as that it is not used.
    package var note: String?

    /// Why it cannot be used.
    package var problem: DatabaseError?
}

extension FoundSettings {
    /// Every setting with the value in force.
    package var rows: [SettingRow] {
        Setting.all.map { setting in
            guard let (value, origin) = entry(setting) else {
                return SettingRow(setting: setting, value: setting.standardText, note: notes(setting))
            }
            let shown = setting.shown(value, origin)
            var row = SettingRow(setting: setting, value: shown, origin: origin, note: notes(setting))
            do {
                let checked = try setting.checked(value, origin)
                if shown != nil { row.value = checked }
            } catch {
                row.problem = error as? DatabaseError
            }
            return row
        }
    }

    private func notes(_ setting: Setting) -> String? {
        let notes = [note(setting)].compactMap(\.self) + passedOver.filter { $0.setting == setting }.map(\.note)
        return notes.isEmpty ? nil : notes.joined(separator: "; ")
    }

    /// Why a part of the server's place is not used.
    private func note(_ setting: Setting) -> String? {
        switch setting {
        case .host, .port:
            guard let socket = place?[.socket] else {
                let isUsed = setting == .host || place?[.host]?.value != "localhost"
                return isUsed || isLocalhostTCP(place, for: passwordTrust(.database))
                    ? nil : "not used: localhost means the server's socket"
            }
            return entry(setting) == nil ? "not used" : "not used: DB_SOCKET in \(socket.origin) is"
        case .socket:
            guard entry(.socket) != nil, let place, place[.socket] == nil, let host = place[.host] else { return nil }
            return "not used: DB_HOST in \(host.origin) is"
        case .url:
            for layer in layers {
                guard let own = layer[.ownURL] else { continue }
                return entry(.url)?.origin == layer[.url]?.origin && layer[.url] != nil
                    ? "not used: HEADROOM_DATABASE_URL in \(own.origin) is" : nil
            }
            return nil
        default:
            return nil
        }
    }
}
