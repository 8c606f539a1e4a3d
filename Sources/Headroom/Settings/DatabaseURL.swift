/// The parts of a `mysql://user:password@host:port/database?option=value` URL, under the names of the settings.
///
/// As frameworks write it: also `mariadb://`, `mysql2://`, `mysql+pymysql://`, `jdbc:mysql://` and their like. Parts may be
/// percent-encoded; a `%` that begins no `%XX` stands for itself. Of the options those count that say where the server is, how
/// the connection is encrypted, or who logs in; others are passed over with a warning, but one that may be about encryption is
/// refused, so that a misspelt one does not go unnoticed. No message repeats a piece of the URL: where something is wrong, any
/// piece may be one of the password.
struct DatabaseURL {
    var values: [String: String] = [:]

    /// What its user should know.
    private(set) var warnings: [String] = []

    /// What a percent sign means.
    enum Escapes {
        /// `%XX` is a byte.
        case percent
        /// The same, each percent sign doubled: Symfony's `resolve:` undoubles them.
        case doublePercent
        /// Nothing: Bedrock's configuration takes all as it stands.
        case none
    }

    /// Why a URL is not used.
    struct Unusable: Error {
        var problem: DatabaseError
        /// Whether it does no harm where other settings say where the database is and who logs in.
        var mayBePassedOver = true
    }

    /// Other tools' names for encryption, one sign for each option and its values.
    private static let tlsModes: [String: [String: TLS.Mode?]] = [
        "sslmode": [
            "disable": .disabled, "disabled": .disabled, "allow": .preferred, "prefer": .preferred,
            "preferred": .preferred,
            "require": .required, "required": .required, "verifyca": .verifyCA, "verifyfull": .verifyIdentity,
            "verifyidentity": .verifyIdentity,
        ],
        "sslaccept": ["strict": .verifyIdentity, "acceptinvalidcerts": nil],
        "ssl": ["true": .required, "1": .required, "false": .disabled, "0": .disabled],
        "usessl": ["true": .required, "false": .disabled],
        "requiressl": ["true": .required, "false": nil],
        "sslverifyservercert": ["true": .verifyIdentity, "1": .verifyIdentity, "false": nil, "0": nil],
        "sslverifyidentity": ["true": .verifyIdentity, "false": nil],
        "tls": [
            "true": .verifyIdentity, "skipverify": .required, "preferred": .preferred, "false": .disabled,
        ],
        "sslverifycert": ["true": .verifyCA, "false": nil],
    ]

    /// Other names of settings; without `-` and `_`, in lower case.
    private static let options: [String: Setting] = [
        "socket": .socket, "unixsocket": .socket, "sslca": .tlsAuthorities, "sslrootcert": .tlsAuthorities,
        "sslcapath": .tlsAuthorities, "sslcert": .tlsCertificate, "sslkey": .tlsKey, "connecttimeout": .connectTimeout,
        "user": .username, "username": .username,
        "password": .password,
    ]

    /// Options of which it is known whose they are, so that their names are no secret.
    private static let others: Set<String> = [
        "charset", "collation", "connection_limit", "connectionLimit", "encoding", "max_connections", "pool",
        "pool_timeout", "prefix", "reconnect", "schema", "serverTimezone", "serverVersion", "strict", "timeout",
        "timezone",
        "useUnicode", "characterEncoding", "version", "checkout_timeout", "prepared_statements", "variables", "adapter",
    ]

    /// The ways in which URLs of other engines begin.
    private static let otherEngines = [
        "postgres", "postgresql", "pgsql", "postgis", "sqlite", "sqlite3", "sqlsrv", "mssql", "sqlserver", "oracle",
        "oci8",
        "mongodb", "mongodb+srv", "redis", "rediss", "cockroachdb", "db2", "http", "https", "file", "libsql",
    ]

    /// Takes a URL apart.
    ///
    /// - Parameters:
    ///   - text: The URL.
    ///   - name: The setting's name.
    ///   - origin: Where it stands, in words.
    ///   - escapes: What `%XX` and `%%` mean in it.
    /// - Throws: ``Unusable``.
    init(_ text: String, name: String = "DATABASE_URL", origin: String, escapes: Escapes = .percent) throws {
        let isOwn = name == Setting.ownURL.name
        func invalid(_ why: String) -> Unusable {
            let written = "It is written mysql://USER:PASSWORD@HOST:PORT/DATABASE, special characters as %XX"
            return Unusable(
                problem: DatabaseError(
                    .settingsInvalid,
                    message: "\(name) in \(origin) cannot be used: \(why).",
                    advice: isOwn
                        ? "\(written)." : "\(written); where it is another program's, set HEADROOM_DATABASE_URL."
                ),
                mayBePassedOver: !isOwn
            )
        }
        func decode(_ part: ArraySlice<UInt8>) throws -> String {
            if escapes == .none { return part.text }
            guard let decoded = PercentEncoding.decoded(Self.escapingLonePercents(part)) else {
                throw invalid("a %XX in it is no text")
            }
            return decoded
        }

        let text = escapes == .doublePercent ? text.replaced("%%", with: "%") : text
        if ["%env(", "%25env%28", "%kernel."].contains(where: { text.holds($0) }) {
            throw invalid("a %...% in it is a parameter of Symfony's, which only the application can tell")
        }
        var bytes = Array(text.utf8)[...].trimmed
        let isOfJDBC = bytes.begins(with: "jdbc:")
        if isOfJDBC { bytes = bytes.dropFirst(5) }
        let scheme = bytes.prefix { $0 != UInt8(ascii: ":") }.text.lowercased()
        let rest0 = bytes.dropFirst(scheme.utf8.count)
        guard rest0.begins(with: "://"), Self.isOurs(scheme) else {
            if Self.otherEngines.contains(where: { scheme == $0 || scheme.hasPrefix("\($0)+") }) {
                throw invalid("it is of another kind of database than MySQL and MariaDB")
            }
            let isQuoted = bytes.first == UInt8(ascii: "\"") || bytes.first == UInt8(ascii: "'")
            throw invalid(
                "it does not begin with mysql:// or mariadb://"
                    + (isQuoted ? ", but with a quote, which is a part of it here" : "")
            )
        }
        var rest = rest0.dropFirst(3)
        let slashOrMark = rest.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") } ?? rest.endIndex
        var tail = rest[slashOrMark...]
        var path = tail.prefix { $0 != UInt8(ascii: "?") }
        guard !(isOfJDBC ? path : tail).contains(UInt8(ascii: "@")) else {
            throw invalid("an @ stands behind a / or a ?: in a password write / as %2F, ? as %3F and @ as %40")
        }
        rest = rest[..<slashOrMark]
        // What stands behind a # is for browsers; one in a password, before the @, is forgiven.
        let hash = UInt8(ascii: "#")
        let host = rest.lastIndex(of: UInt8(ascii: "@")) ?? rest.startIndex
        if let mark = rest[host...].firstIndex(of: hash) ?? tail.firstIndex(of: hash) {
            (rest, tail) = mark < tail.startIndex ? (rest[..<mark], tail.suffix(0)) : (rest, tail[..<mark])
            warnings.append(
                "\(name) in \(origin) ends in a # with words behind it, which are passed over: a # of its own is %23"
            )
        }
        path = tail.prefix { $0 != UInt8(ascii: "?") }
        // The last '@': an unencoded one in the password is forgiven.
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            let login = rest[..<at].split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            values["DB_USERNAME"] = try decode(login[0])
            if login.count > 1 { values["DB_PASSWORD"] = try decode(login[1]) }
            rest = rest[(at + 1)...]
        }
        if rest.first == UInt8(ascii: "["), let close = rest.firstIndex(of: UInt8(ascii: "]")) {
            values["DB_HOST"] = rest[..<close].dropFirst().text
            rest = rest[(close + 1)...]
        } else {
            let host = rest.prefix { $0 != UInt8(ascii: ":") }
            values["DB_HOST"] = try decode(host)
            rest = rest[host.endIndex...]
        }
        if rest.first == UInt8(ascii: ":") {
            values["DB_PORT"] = rest.dropFirst().text
        } else if !rest.isEmpty {
            throw invalid("something stands behind the ] of the host")
        }
        if !path.isEmpty { values["DB_DATABASE"] = try decode(path.dropFirst()) }
        for option in tail[path.endIndex...].dropFirst().split(separator: UInt8(ascii: "&")) {
            let parts = option.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            let value = parts.count == 2 ? try decode(parts[1]) : ""
            try take(parts[0].text, value, whole: "\(name) in \(origin)", invalid)
        }
    }

    private mutating func take(
        _ option: String,
        _ value: String,
        whole: String,
        _ invalid: (String) -> Unusable
    ) throws {
        // Whoever asked for encryption does not get a connection without.
        func refused(_ why: String) -> Unusable { Unusable(problem: invalid(why).problem, mayBePassedOver: false) }
        let plain = option.keeping { $0 != "-" && $0 != "_" }.lowercased()
        if let modes = Self.tlsModes[plain] {
            let word = value.keeping { $0 != "-" && $0 != "_" }.lowercased()
            guard let mode = modes[word] else {
                throw refused("its option for encryption has a value that is not known")
            }
            // Of several the one that asks for most.
            let earlier = values[Setting.tlsMode.name].flatMap(TLS.Mode.init(rawValue:))
            if let mode, mode.strength > earlier?.strength ?? -1 { values[Setting.tlsMode.name] = mode.rawValue }
        } else if let setting = Self.options[plain] {
            values[setting.name] = value
        } else if ["ssl", "tls", "cert", "verif"].contains(where: { plain.holds($0) }) {
            throw refused("it has an option for encryption that Headroom does not know: set HEADROOM_TLS_MODE instead")
        } else if let known = Self.others.first(where: { $0 == option }) {
            warnings.append("\(whole) has the option \(known), which is another program's and is passed over")
        } else {
            warnings.append("\(whole) has an option behind the ? that is none of Headroom's, and is passed over")
        }
    }

    private static func isOurs(_ scheme: String) -> Bool {
        ["mysql", "mariadb", "mysql2", "mysqli", "pdo-mysql", "pdo_mysql", "trilogy"].contains(scheme)
            || scheme.hasPrefix("mysql+") || scheme.hasPrefix("mariadb+")
    }

    /// The bytes with `%25` for each `%` that two digits do not follow, as the frameworks' decoders leave those.
    private static func escapingLonePercents(_ part: ArraySlice<UInt8>) -> [UInt8] {
        func isDigit(_ index: Int) -> Bool {
            guard index < part.endIndex else { return false }
            return part[index] < 0x80 && Unicode.Scalar(part[index]).properties.isASCIIHexDigit
        }
        return part.indices.flatMap { index in
            part[index] == UInt8(ascii: "%") && !(isDigit(index + 1) && isDigit(index + 2))
                ? Array("%25".utf8) : [part[index]]
        }
    }
}
