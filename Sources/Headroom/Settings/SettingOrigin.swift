/// Where a setting's value comes from.
package struct SettingOrigin: Sendable, Hashable, CustomStringConvertible {
    /// The kinds of places.
    package enum Place: Sendable, Hashable {
        /// A flag of the command.
        case flag
        /// The environment.
        case environment
        /// A credential of systemd.
        case credential
        /// A file, with the line.
        case file(line: Int?)
    }

    /// The kind of place.
    package var place: Place

    /// The file's path; `nil` where there is none.
    package var path: String?

    /// The other name under which it was found, such as `DATABASE_URL` or `DB_PASSWORD_FILE`.
    package var name: String?

    /// Whether the tools that read such a file take the value there for different ones.
    var isAmbiguous = false

    /// Creates a place.
    init(place: Place, path: String? = nil, name: String? = nil) {
        (self.place, self.path, self.name) = (place, path, name)
    }

    /// Whether the value is a part of a URL.
    package var isOfURL: Bool {
        guard let name else { return false }
        return [Setting.url.name, Setting.ownURL.name, SettingsLayer.frameworkURL].contains { name.begins(with: $0) }
    }

    /// The place as an error names it, after "in".
    package var description: String {
        let place =
            switch self.place {
            case .flag: "the flags"
            case .environment: "the environment"
            case .credential: "the credential \(path ?? "")"
            case .file(let line?): "line \(line) of \(path ?? "")"
            case .file(nil): path ?? ""
            }
        return name.map { "\($0) of \(place)" } ?? place
    }

    /// The same place, the value found under another name.
    func under(_ name: String) -> SettingOrigin {
        var origin = self
        origin.name = name
        return origin
    }
}
