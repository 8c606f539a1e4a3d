/// What is remembered of servers: the keys that they showed, and who was let in without being asked for the password.
///
/// The text of a file, a line for each fact: `HOST:PORT tls sha256//... 2026-11-30`. Lines of another form are kept.
package struct ServerKeys: Sendable {
    /// What is remembered of a place.
    package enum Fact: Hashable, Sendable {
        /// It has shown this key.
        case key(ServerKey)
        /// It let the user in by a scramble or a signature, without encryption, so no key was seen.
        case withoutPassword(user: String)
    }

    /// A fact, of where, and since when.
    package struct Entry: Hashable, Sendable {
        /// The server's place, `HOST:PORT`.
        package var place: String
        /// What is remembered.
        package var fact: Fact
        /// The day on which it was noted, as `2026-11-30`.
        package var day: String

        /// The key, where it is one that is remembered.
        package var key: ServerKey? { if case .key(let key) = fact { key } else { nil } }
    }

    private enum Line {
        case entry(Entry)
        case other(Substring.UTF8View)
    }

    /// The most lines that are kept: no one has as many servers, and the file must not grow for ever.
    package static let most = 1_000

    private var lines: [Line] = []

    /// Creates an empty memory.
    package init() {}

    /// Reads the text of a file.
    package init(_ text: String) {
        for line in Substring(text).utf8.split(separator: UInt8(ascii: "\n")) {
            lines.append(Self.entry(line).map(Line.entry) ?? .other(line))
        }
    }

    /// The text for the file.
    package var text: String {
        lines.map { line in
            switch line {
            case .other(let bytes): "\(Substring(bytes))\n"
            case .entry(let entry):
                "\(Self.escaped(entry.place)) \(Self.words(entry.fact)) \(entry.day)\n"
            }
        }
        .joined()
    }

    /// How a server's place is written: names of hosts know no case.
    package static func place(of endpoint: Endpoint) -> String { endpoint.description.lowercased() }

    /// All that is remembered.
    package var entries: [Entry] {
        lines.compactMap { if case .entry(let entry) = $0 { entry } else { nil } }
    }

    /// Remembers a fact, unless it is known.
    ///
    /// - Returns: Whether it is known now; false when there is no room.
    @discardableResult package mutating func remember(_ fact: Fact, of place: String, on day: String) -> Bool {
        if entries.contains(where: { $0.place == place && $0.fact == fact }) { return true }
        guard lines.count < Self.most else { return false }
        lines.append(.entry(Entry(place: place, fact: fact, day: day)))
        return true
    }

    /// Forgets all of a place.
    package mutating func forget(_ place: String) {
        lines.removeAll { if case .entry(let entry) = $0 { entry.place == place } else { false } }
    }

    /// What a key says at a place.
    package enum Finding: Hashable, Sendable {
        /// It is remembered.
        case known
        /// Nothing is remembered that it could be compared with.
        case first
        /// Others are remembered.
        case changed([Entry])
        /// The user was let in before, and never asked for the password.
        case unasked(Entry)
    }

    /// Compares a key that a server shows when it asks for the password.
    ///
    /// - Parameters:
    ///   - key: The key.
    ///   - place: The server's place.
    ///   - user: Who logs in.
    ///   - mode: The settings' mode: where it can meet keys of both kinds, one that is remembered of either counts, so that
    ///     nobody gets the password by no longer offering what was offered before.
    /// - Returns: What it says.
    package func finding(_ key: ServerKey, at place: String, user: String, mode: TLS.Mode) -> Finding {
        let here = entries.filter { $0.place == place }
        if here.contains(where: { $0.fact == .key(key) }) { return .known }
        let comparable = here.filter { if case .key(let other) = $0.fact { mode.meets(other.kind) } else { false } }
        if !comparable.isEmpty { return .changed(comparable) }
        return here.first { $0.fact == .withoutPassword(user: user) }.map(Finding.unasked) ?? .first
    }

    private static func entry(_ line: Substring.UTF8View) -> Entry? {
        let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            .map { String(Substring($0)) }
        guard fields.count == 4, let place = PercentEncoding.decoded(fields[0].utf8), !place.isEmpty, isDay(fields[3])
        else { return nil }
        let fact: Fact
        if let kind = ServerKey.Kind(rawValue: fields[1]), ServerKey.isFingerprint(fields[2]) {
            fact = .key(ServerKey(kind, fingerprint: fields[2]))
        } else if fields[1] == "no-password", let user = PercentEncoding.decoded(fields[2].utf8) {
            fact = .withoutPassword(user: user)
        } else {
            return nil
        }
        return Entry(place: place, fact: fact, day: fields[3])
    }

    private static func words(_ fact: Fact) -> String {
        switch fact {
        case .key(let key): "\(key.kind.rawValue) \(key.fingerprint)"
        case .withoutPassword(let user): "no-password \(escaped(user))"
        }
    }

    private static func isDay(_ text: String) -> Bool {
        text.utf8.count == 10 && text.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (0x30...0x39).contains($0) }
    }

    /// Names as fields: what is no printable ASCII, and `%`, as `%XX`.
    private static func escaped(_ text: String) -> String {
        PercentEncoding.encoded(text) { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "%") }
    }
}

extension TLS.Mode {
    /// Whether a connection in this mode may be shown a key of the kind.
    fileprivate func meets(_ kind: ServerKey.Kind) -> Bool {
        switch self {
        case .preferred: true
        case .disabled: kind == .rsa
        case .required, .verifyCA, .verifyIdentity: kind == .tls
        }
    }
}
