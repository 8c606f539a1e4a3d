import Headroom

extension AccountSnapshot {
    /// The text that the snapshot is kept as: a line for each fact, its name before a tab, and one for each session, its
    /// fields between tabs; what is not known is empty.
    ///
    /// Not JSON: Foundation's encoder would be a megabyte of every look's memory, for a text that only Headroom reads.
    var text: String {
        var lines = [Self.firstLine]
        func add(_ name: String, _ fields: String?...) {
            lines.append(([name] + fields.map { Self.plain($0 ?? "") }).joined(separator: "\t"))
        }
        add("taken-at", "\(takenAt)")
        add("account", account)
        add("server-version", serverVersion)
        add("limit", limit.map(String.init))
        add("limit-source", limitSource)
        add("server-limit", serverLimit.map(String.init))
        add("used", "\(used)")
        add("port", ports.port.map(String.init))
        add("socket", ports.socket)
        add("extra-port", ports.extraPort.map(String.init))
        add("admin-port", ports.adminPort.map(String.init))
        add("admin-address", ports.adminAddress)
        add("sessions", "\(sessions.count)")
        for session in sessions {
            add(
                "session",
                "\(session.id)",
                session.program,
                session.pid.map(String.init),
                session.host,
                session.command,
                "\(session.seconds)"
            )
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Reads the text of a snapshot; `nil` when it is another text, or one that was cut off.
    init?(text: String) {
        guard text.ends(with: "\n") else { return nil }
        let lines = text.pieces(separator: "\n")
        guard lines.first == Self.firstLine[...] else { return nil }
        var facts: [Substring: String] = [:]
        sessions = []
        for line in lines.dropFirst() {
            let fields = line.pieces(separator: "\t", omittingEmptySubsequences: false)
            let values = fields.dropFirst().map(String.init)
            guard fields[0] == "session" else {
                facts[fields[0]] = values.first
                continue
            }
            guard let session = Entry(fields: values) else { return nil }
            sessions.append(session)
        }
        func number(_ name: Substring) -> Int? { facts[name].flatMap { Int($0)?.asCount } }
        guard let takenAt = facts["taken-at"].flatMap(Double.init), Self.isPlausible(takenAt),
            let used = number("used"),
            let account = facts["account"], number("sessions") == sessions.count
        else { return nil }
        self.takenAt = takenAt
        self.account = account
        self.used = used
        serverVersion = facts["server-version"] ?? ""
        limit = number("limit")
        limitSource = facts["limit-source"] ?? ""
        serverLimit = number("server-limit")
        ports = ServerPorts(
            port: number("port"),
            socket: facts["socket"].flatMap(Self.known),
            extraPort: number("extra-port"),
            adminPort: number("admin-port"),
            adminAddress: facts["admin-address"].flatMap(Self.known)
        )
    }

    /// Changes when a text can no longer be read as one of before.
    private static let firstLine = "headroom snapshot 1"

    /// The value of a field, which is empty when it is not known.
    fileprivate static func known(_ field: String) -> String? { field.isEmpty ? nil : field }

    /// Whether a number of seconds is one that can be: `nan`, `inf` and 1e300 are numbers to a reader too.
    fileprivate static func isPlausible(_ seconds: Double) -> Bool { seconds.magnitude < 1e12 }

    /// A field without what would end it: a client names itself as it likes.
    private static func plain(_ field: String) -> String {
        let isPlain = field.utf8.allSatisfy { $0 >= 0x20 }
        return isPlain
            ? field : String(String.UnicodeScalarView(field.unicodeScalars.map { $0.value < 0x20 ? "?" : $0 }))
    }
}

extension AccountSnapshot.Entry {
    /// Reads the fields of a session's line; `nil` when they are others.
    fileprivate init?(fields: [String]) {
        // A later version may have added some.
        guard fields.count >= 6, let id = UInt64(fields[0]), let seconds = Double(fields[5]),
            AccountSnapshot.isPlausible(seconds)
        else { return nil }
        self.init(
            id: id,
            program: AccountSnapshot.known(fields[1]),
            pid: Int(fields[2])?.asCount,
            host: fields[3],
            command: fields[4],
            seconds: seconds
        )
    }
}
