import Headroom

/// Reads what `/proc/PID` says of a process.
enum ProcessText {
    /// What `/proc/PID/stat` says.
    struct Stat: Hashable {
        var name: String
        var parent: Int32
        /// In clock ticks since the machine was started.
        var startedAt: UInt64
        /// Whether it has ended, and only its parent has not taken note yet.
        var hasEnded = false
    }

    /// Reads `/proc/PID/stat`.
    static func stat(_ text: String) -> Stat? {
        // The second field, the program's name in parentheses, may contain anything, also blanks and parentheses.
        guard let open = text.unicodeScalars.firstIndex(of: "("), let end = text.unicodeScalars.lastIndex(of: ")"),
            open < end
        else { return nil }
        let fields = text[text.unicodeScalars.index(after: end)...].pieces(separator: " ")
        guard fields.count > 19, let parent = Int32(fields[1]), let start = UInt64(fields[19]) else { return nil }
        return Stat(
            name: String(text[text.unicodeScalars.index(after: open)..<end]),
            parent: parent,
            startedAt: start,
            hasEnded: fields[0] == "Z" || fields[0] == "X"
        )
    }

    /// The real user of `/proc/PID/status`.
    ///
    /// Not the folder's owner: that is root for a process that may not be looked into.
    static func user(_ status: String) -> UInt32? {
        let line = status.pieces(separator: "\n").first { $0.begins(with: "Uid:") }
        return line?.pieces(where: \.isBlank).dropFirst().first.flatMap { UInt32($0) }
    }

    /// The systemd unit, or the container, that `/proc/PID/cgroup` names; `nil` when there is none.
    static func unit(_ cgroup: String) -> String? {
        for line in cgroup.pieces(separator: "\n") {
            // "0::/system.slice/cron.service", and "1:name=systemd:/..." where version 1 is in use.
            let fields = line.pieces(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "0" || fields[1] == "name=systemd" else { continue }
            let names = fields[2].pieces(separator: "/")
            if let unit = names.last(where: { $0.ends(with: ".service") && !$0.begins(with: "user@") }) {
                return String(unit)
            }
            if let scope = names.last(where: { $0.ends(with: ".scope") }) { return String(scope) }
        }
        return nil
    }

    /// The socket that a link of `/proc/PID/fd` leads to: `socket:[12345]`.
    static func socket(_ link: some ScalarText) -> UInt64? {
        guard let number = link.after("socket:["), number.ends(with: "]") else { return nil }
        return UInt64(number.leading { $0 != "]" })
    }

    /// The user names of `/etc/passwd` by their numbers.
    ///
    /// Read here and not asked of the system, which may go and ask a directory server.
    static func userNames(_ passwd: String) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        for line in passwd.pieces(separator: "\n") {
            let fields = line.pieces(separator: ":", omittingEmptySubsequences: false)
            if fields.count > 2, let number = UInt32(fields[2]), names[number] == nil {
                names[number] = String(fields[0])
            }
        }
        return names
    }
}

/// A command line as it may be shown.
enum CommandLineText {
    /// Joins the arguments of `/proc/PID/cmdline`, without passwords, and no longer than a line.
    ///
    /// - Parameters:
    ///   - bytes: The arguments, each with a zero byte behind it.
    ///   - secrets: Passwords that are known and must not be shown wherever they stand.
    ///   - limit: The most characters to return.
    /// - Returns: The line.
    static func readable(_ bytes: some Sequence<UInt8>, secrets: [String] = [], limit: Int = 160) -> String {
        let words = Array(bytes).split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
        var shown: [String] = []
        var isSecret = false
        for word in words {
            if isSecret || secrets.contains(word) {
                shown.append("***")
                isSecret = false
            } else if let secret = withoutSecret(word, program: words[0]) {
                shown.append(secret)
            } else {
                isSecret = ["--password", "--pass", "--token"].contains(word)
                shown.append(word)
            }
        }
        // A process that writes its own title leaves the rest of its arguments empty.
        var line = Escaping.line(shown.joined(separator: " "))
        // A short one is too likely to be a part of something else.
        for secret in secrets where secret.utf8.count > 5 { line = line.replaced(secret, with: "***") }
        return line.count > limit ? line.prefix(limit - 1) + "…" : line
    }

    /// The word without the secret in it; `nil` when it has none.
    private static func withoutSecret(_ word: String, program: String) -> String? {
        for flag in ["--password=", "--pass=", "--token=", "DB_PASSWORD=", "MYSQL_PWD="] where word.begins(with: flag) {
            return flag + "***"
        }
        // mysql's and mariadb's own -pSECRET; other programs mean other things by -p.
        if word.begins(with: "-p"), word.utf8.count > 2, !word.begins(with: "--"),
            program.holds("mysql") || program.holds("mariadb")
        {
            return "-p***"
        }
        // user:secret@host
        if let scheme = word.place(of: "://"), let at = word[scheme.upperBound...].unicodeScalars.lastIndex(of: "@"),
            let colon = word[scheme.upperBound..<at].unicodeScalars.firstIndex(of: ":")
        {
            return word[...colon] + "***" + word[at...]
        }
        return nil
    }
}
