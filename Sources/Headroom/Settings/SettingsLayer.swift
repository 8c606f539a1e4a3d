/// One source of settings, by the names that the environment uses.
struct SettingsLayer: Sendable {
    /// Where the values come from, as an error names it.
    var origin: String

    /// The values by name; an empty value counts as none.
    var values: [String: String]

    /// The value of a name, if it has one.
    subscript(name: String) -> String? {
        guard let value = values[name], !value.isEmpty else { return nil }
        return value
    }

    /// Whether the layer says anything about the database.
    var saysAnything: Bool {
        values.keys.contains { $0.hasPrefix("DB_") && self[$0] != nil } || self["DATABASE_URL"] != nil
    }

    /// The same layer with a URL's parts filled in under their own names, where those are not set.
    func resolvingURL() throws -> SettingsLayer {
        guard let text = self["DATABASE_URL"] else { return self }
        let url = try DatabaseURL(text, origin: origin)
        var resolved = self
        resolved.values["DATABASE_URL"] = nil
        // DB_SOCKET or DB_HOST beside a URL replaces the URL's whole place, not a half of it.
        let replacesPlace = self["DB_HOST"] != nil || self["DB_SOCKET"] != nil
        for (name, value) in url.values where resolved[name] == nil {
            if replacesPlace, ["DB_HOST", "DB_SOCKET", "DB_PORT"].contains(name) { continue }
            resolved.values[name] = value
        }
        return resolved
    }
}
