/// One setting: what it is called, what it means, and what it may be.
///
/// The table of them (``all``) is the only place that says so: parsing, errors, `headroom config`, the help, the commented
/// file of the package and `docs/settings.md` are made from it.
package struct Setting: Sendable, Hashable {
    /// The name, as the environment and a `.env` file have it.
    package var name: String

    /// What it means: a sentence or two.
    package var meaning: String

    /// What it may be.
    package var kind: Kind

    /// What holds where nothing is set.
    package var standard: Standard

    /// What it belongs to.
    package var group: Group

    /// From which sources its value counts.
    package var trust: Trust

    /// The programs that read it; empty for all that connect.
    package var readBy: [String] = []

    /// Whether it is never shown, and may also be named as a file or be a credential of systemd.
    package var isSecret = false

    /// The flag that wins over it.
    package var flag: String?

    /// Its name in a MySQL option file, where it has one besides that in `[headroom]`.
    package var option: String?

    /// What it may be.
    package enum Kind: Sendable, Hashable {
        /// Any text.
        case text
        /// One host.
        case host
        /// One host, or several with commas between, each with a port or without.
        case hosts
        /// Fingerprints of keys, with semicolons between.
        case pins
        /// A path.
        case path
        /// A path from the root.
        case absolutePath
        /// A number within bounds.
        case number(ClosedRange<Int>)
        /// A time of at least so many milliseconds.
        case duration(atLeastMilliseconds: Int)
        /// One of some words; `-` in them is read as `_`, and case does not matter.
        case word([String])
    }

    /// What holds where nothing is set.
    package enum Standard: Sendable, Hashable {
        /// A value, as it would be written.
        case value(String)
        /// Something else, in words; with a value to show how it is written.
        case words(String, example: String)
    }

    /// What settings belong to; in the order of their listing.
    package enum Group: String, Sendable, CaseIterable {
        case database = "The database"
        case budget = "The budget"
        case times = "Times"
        case encryption = "Encryption"
        case secondAccount = "The second account"
        case running = "The door and what keeps running"
        case queue = "The queue"
        case alerts = "Alerts"
        case dashboard = "The dashboard"
        case sandbox = "The sandbox"
    }
}

extension Setting {
    /// Under which the name of a file with the value may be given; secrets only.
    package var fileName: String? { isSecret ? "\(name)_FILE" : nil }

    /// The names of the systemd credentials that are read for it; secrets only.
    package var credentialNames: [String] {
        guard isSecret else { return [] }
        let plain = name.lowercased()
        let dashes = plain.replacing("_", with: "-")
        return [plain, dashes.hasPrefix("headroom-") ? dashes : "headroom-\(dashes)"]
    }

    /// Its name in the group `[headroom]` of a MySQL option file, `-` written as `_`.
    package var headroomOption: String? {
        let plain = name.lowercased()
        for prefix in ["headroom_", "db_"] where plain.hasPrefix(prefix) {
            return prefix == "db_"
                ? option ?? String(plain.dropFirst(prefix.count)) : String(plain.dropFirst(prefix.count))
        }
        return nil
    }

    /// What holds where nothing is set, for people.
    package var standardText: String {
        switch standard {
        case .words(let words, _): words
        case .value(let value): unit.map { "\(value) \($0)" } ?? value
        }
    }

    /// A value to show how it is written: the default where that is one.
    package var example: String {
        switch standard {
        case .value(let value): value
        case .words(_, let example): example
        }
    }

    /// The unit of a bare number.
    package var unit: String? {
        if case .duration = kind { "s" } else { nil }
    }

    /// What it must be, as an error says it.
    package var bounds: String {
        switch kind {
        case .text: "any text"
        case .host: "a host"
        case .hosts: "a host, or hosts with commas between, such as a,b:3307"
        case .pins: "sha256// and the base 64 of a SHA-256, or several with semicolons between"
        case .path: "a path"
        case .absolutePath: "an absolute path"
        case .number(let range):
            range.upperBound == Self.mostConnections
                ? "a number from \(range.lowerBound)" : "a number from \(range.lowerBound) to \(range.upperBound)"
        case .duration(let least):
            "a time of at least \(least < 1000 ? "\(least) ms" : "\(least / 1000) s"): seconds, or with ms, s, m, h or d"
        case .word(let words): "one of \(words.joined(separator: ", "))"
        }
    }

    /// A bound for numbers of connections: no server allows as many.
    package static let mostConnections = 999_999

    /// The value as people may see it; `nil` for a secret, and for what may have one in it.
    ///
    /// A part of a URL is shown only where it can be used: in one that is not written rightly it may be of the password.
    func shown(_ value: String, _ origin: SettingOrigin) -> String? {
        let isUsable = normalized(value) != nil
        switch kind {
        case .host, .hosts: if !isUsable { return nil }
        // What is longer than a slip has swallowed something else.
        case .number, .duration, .word, .pins: if !isUsable, origin.isOfURL || value.utf8.count > 12 { return nil }
        default: if origin.isOfURL, !isUsable { return nil }
        }
        return isSecret ? nil : value.shortened
    }

    /// The value as its kind has it; `nil` when it cannot be used.
    func normalized(_ text: String) -> String? {
        switch kind {
        case .text, .path: text
        case .host: Endpoint.isHost(text.utf8) ? text : nil
        case .hosts: Endpoint.list(text, port: 3306) == nil ? nil : text
        case .absolutePath: text.utf8.first == UInt8(ascii: "/") ? text : nil
        case .pins:
            text.utf8.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
                .allSatisfy { ServerKey.isFingerprint(String(Substring($0))) } ? text : nil
        case .number(let range): Int(text).flatMap { range.contains($0) ? "\($0)" : nil }
        case .duration(let least):
            Duration(text: text).flatMap { $0 >= .milliseconds(least) ? text : nil }
        case .word(let words):
            words.first { $0 == text.lowercased().replacing("-", with: "_") }
        }
    }
}
