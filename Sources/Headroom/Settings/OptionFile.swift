/// Reads a MySQL option file, such as `~/.my.cnf`, as the servers' own tools do.
///
/// Of its groups `[client]`, `[client-server]`, `[client-mariadb]`, `[mysql]`, `[mariadb-client]` and `[headroom]` count, a
/// later line winning. `!include` and `!includedir` are followed. A `#` begins a comment, anywhere but within quotes; `\n`,
/// `\t`, `\r`, `\b`, `\s` (a space), `\\` and quotes may be escaped; `-` and `_` in names are the same. (Tried against
/// `my_print_defaults` of MariaDB 10.11, in a test.)
struct OptionFile {
    /// The settings by their own names.
    private(set) var entries: [String: SettingsLayer.Entry] = [:]

    /// The options of the groups that count, as they stand: what `my_print_defaults` prints.
    private(set) var options: [(name: String, value: String?)] = []

    /// What its user should know.
    private(set) var warnings: [String] = []

    /// The files that were read.
    private(set) var paths: [String] = []

    /// Why somebody else than this process's user or root may have written the file; `nil` when nobody else can have.
    private(set) var stranger: String?

    /// Whether it says that the server is reached over TCP (`protocol=tcp`).
    private(set) var isOverTCP = false

    /// Whether it has something to which an encrypted connection belongs, such as `ssl-capath`.
    private(set) var asksForTLS = false

    /// What makes sure of the server and is not looked at by Headroom.
    private(set) var unchecked: [(name: String, origin: SettingOrigin)] = []

    /// Whether the socket is the one of `[headroom]`.
    private var hasOwnSocket = false

    /// Whether somebody named the file, so that it may name further ones.
    private let isNamed: Bool

    private static let groups: Set<String> = [
        "client", "client-server", "client-mariadb", "mysql", "mariadb-client", "headroom",
    ]

    /// Reads a file and what it includes.
    ///
    /// - Parameters:
    ///   - path: The file's path.
    ///   - isNamed: Whether somebody named it. What another user's file includes is not read: that user may not be able to.
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    init(path: String, isNamed: Bool = true) throws {
        self.isNamed = isNamed
        try read(path, depth: 0)
        addWhatIsMeant()
        if isNamed, options.isEmpty {
            warnings.append("\(path) says nothing in a group that counts, such as [client], [mysql] and [headroom]")
        }
    }

    /// Adds what the tools conclude from several options.
    private mutating func addWhatIsMeant() {
        // A socket is for localhost alone.
        guard let socket = entries[Setting.socket.name], !hasOwnSocket else { return }
        let host = entries[Setting.host.name]
        guard isOverTCP || host.map({ !$0.value.isEmpty && $0.value != "localhost" }) ?? false else { return }
        entries[Setting.socket.name] = nil
        if host == nil {
            entries[Setting.host.name] = SettingsLayer.Entry(
                value: "localhost",
                origin: socket.origin.under("protocol")
            )
        }
    }

    private mutating func read(_ path: String, depth: Int) throws {
        guard depth <= 10 else {
            throw DatabaseError(
                .settingsInvalid,
                message: "The option file \(path) is included more than 10 files deep.",
                advice: "Look for an !include that leads back to a file that includes it."
            )
        }
        let content = try SettingsFile.content(path)
        if paths.isEmpty { stranger = content.stranger }
        paths.append(path)
        var group = ""
        for (index, line) in SettingsLines(content.bytes).enumerated() {
            let line = line.trimmed
            let origin = SettingOrigin(place: .file(line: index + 1), path: path)
            if line.isEmpty || line.begins(with: "#") || line.begins(with: ";") {
                continue
            } else if line.begins(with: "[") {
                guard let end = line.firstIndex(of: UInt8(ascii: "]")) else {
                    throw DatabaseError(
                        .settingsInvalid,
                        message: "\(origin) begins a group and has no ] that ends it.",
                        advice: "Write [client]; MySQL's own tools refuse the file too."
                    )
                }
                group = line[..<end].dropFirst().trimmed.text.lowercased()
            } else if line.begins(with: "!") {
                try include(line, origin, depth)
            } else if group.isEmpty {
                if warnings.count < 20 { warnings.append("\(origin) stands before any [group] and is passed over") }
            } else if Self.groups.contains(group) {
                try take(OptionLine(line), in: group, origin)
            }
        }
    }

    private mutating func include(_ line: ArraySlice<UInt8>, _ origin: SettingOrigin, _ depth: Int) throws {
        let words = line.split(maxSplits: 1, whereSeparator: \.isSpace)
        let (order, named) = (words[0].text, words.count == 2 ? words[1].text : "")
        // The line below may have run together with it.
        let shown = named.holds("=") || named.holdsSecretName(isOfOptionFile: true) ? "another file" : named
        guard ["!include", "!includedir"].contains(order) else {
            warnings.append("\(origin) begins with !, and is neither !include nor !includedir")
            return
        }
        if !isNamed, let stranger {
            warnings.append("\(origin) includes \(shown), which is not read: nobody named this file, and \(stranger)")
            return
        }
        if order == "!includedir" {
            for path in try SettingsFile.list(named, ending: ".cnf") { try read(path, depth: depth + 1) }
        } else if SettingsFile.exists(named) {
            try read(named, depth: depth + 1)
        } else {
            // The tools pass over a file that is not there.
            warnings.append("\(origin) includes \(shown), which is not there")
        }
    }

    private mutating func take(_ line: OptionLine, in group: String, _ origin: SettingOrigin) throws {
        options.append((line.name, line.value))
        if line.name.lowercased() == "protocol" {
            // The tools take the beginning of a word for it.
            isOverTCP = line.value.map { !$0.isEmpty && "tcp".hasPrefix($0.lowercased()) } ?? false
        }
        if group != "headroom" { noteEncryption(line, origin) }
        guard let (setting, value) = try setting(line, in: group, origin) else { return }
        if setting == .socket { hasOwnSocket = group == "headroom" }
        entries[setting.name] = SettingsLayer.Entry(value: value, origin: origin)
        // Both tools and we take what is before it; whoever wrote a password meant all of it.
        if setting.isSecret, line.isCut {
            warnings.append(
                "\(setting.option ?? setting.name) in \(origin) ends at its #, which begins a comment: put the value in quotes"
            )
        }
    }

    private mutating func noteEncryption(_ line: OptionLine, _ origin: SettingOrigin) {
        let name = Self.plain(line.name)
        guard name.hasPrefix("ssl_") || name.hasPrefix("tls_"), line.value?.isEmpty == false,
            name != "ssl_mode", name != "ssl_verify_server_cert"
        else { return }
        asksForTLS = true
        let pins = [
            "ssl_fp", "ssl_fplist", "ssl_fp_list", "tls_fp", "tls_fplist", "tls_fp_list", "tls_peer_fp",
            "tls_peer_fp_list",
        ]
        if (pins + ["ssl_crl", "ssl_crlpath"]).contains(name) {
            unchecked.append((name.replacing("_", with: "-"), origin))
        }
    }

    /// The name of an option as it is compared.
    private static func plain(_ name: String) -> String {
        let name = name.replacing("-", with: "_").lowercased()
        return name.hasPrefix("loose_") ? String(name.dropFirst(6)) : name
    }

    /// What an option says in the words of the settings; `nil` when it is not for us.
    private func setting(
        _ line: OptionLine,
        in group: String,
        _ origin: SettingOrigin
    ) throws -> (Setting, String)? {
        let name = line.name.replacing("-", with: "_").lowercased()
        if group == "headroom" {
            let named = Setting.all.first { $0.headroomOption == name || $0.option == name }
            guard let named else {
                let near = NearestName.to(name, in: Setting.all.compactMap(\.headroomOption))
                throw DatabaseError(
                    .settingsInvalid,
                    // Not the name: where a = was forgotten, it has the value in it.
                    message: "What stands in \(origin) is no setting of the group [headroom].",
                    advice: near.map { "Did you mean \($0.replacing("_", with: "-"))?" }
                        ?? "headroom config list names them."
                )
            }
            return (named, line.value ?? "")
        }
        let plain = Self.plain(line.name)
        switch (plain, line.value?.lowercased()) {
        case ("ssl", nil), ("ssl", "1"), ("ssl", "on"), ("ssl", "true"):
            return (.tlsMode, TLS.Mode.required.rawValue)
        case ("skip_ssl", nil), ("ssl", "0"), ("ssl", "off"), ("ssl", "false"), ("disable_ssl", nil):
            return (.tlsMode, TLS.Mode.disabled.rawValue)
        case ("ssl_verify_server_cert", nil), ("ssl_verify_server_cert", "1"), ("ssl_verify_server_cert", "on"),
            ("ssl_verify_server_cert", "true"):
            return (.tlsMode, TLS.Mode.verifyIdentity.rawValue)
        case ("ssl_capath", let value?) where !value.isEmpty && entries[Setting.tlsAuthorities.name] == nil:
            return line.value.map { (.tlsAuthorities, $0) }
        default:
            guard let value = line.value, let setting = Setting.all.first(where: { $0.option == plain }) else {
                return nil
            }
            return (setting, value)
        }
    }
}
