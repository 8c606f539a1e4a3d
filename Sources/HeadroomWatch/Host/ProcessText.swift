/// Reads what `/proc/PID` says of a process.
enum ProcessText {
    /// What `/proc/PID/stat` says.
    struct Stat: Hashable {
        var name: String
        var parent: Int32
        /// In clock ticks since the machine was started.
        var startedAt: UInt64
    }

    /// Reads `/proc/PID/stat`.
    static func stat(_ text: String) -> Stat? {
        // The second field, the program's name in parentheses, may contain anything, also blanks and parentheses.
        guard let open = text.firstIndex(of: "("), let end = text.lastIndex(of: ")"), open < end else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19, let parent = Int32(fields[1]), let start = UInt64(fields[19]) else { return nil }
        return Stat(name: String(text[text.index(after: open)..<end]), parent: parent, startedAt: start)
    }

    /// The real user of `/proc/PID/status`.
    ///
    /// Not the folder's owner: that is root for a process that may not be looked into.
    static func user(_ status: String) -> UInt32? {
        let line = status.split(separator: "\n").first { $0.hasPrefix("Uid:") }
        return line?.split { $0 == "\t" || $0 == " " }.dropFirst().first.flatMap { UInt32($0) }
    }

    /// The systemd unit, or the container, that `/proc/PID/cgroup` names; `nil` when there is none.
    static func unit(_ cgroup: String) -> String? {
        for line in cgroup.split(separator: "\n") {
            // "0::/system.slice/cron.service", and "1:name=systemd:/..." where version 1 is in use.
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3, fields[0] == "0" || fields[1] == "name=systemd" else { continue }
            let names = fields[2].split(separator: "/")
            if let unit = names.last(where: { $0.hasSuffix(".service") && !$0.hasPrefix("user@") }) {
                return String(unit)
            }
            if let scope = names.last(where: { $0.hasSuffix(".scope") }) { return String(scope) }
        }
        return nil
    }

    /// The socket that a link of `/proc/PID/fd` leads to: `socket:[12345]`.
    static func socket(_ link: some StringProtocol) -> UInt64? {
        guard link.hasPrefix("socket:["), link.hasSuffix("]") else { return nil }
        return UInt64(link.dropFirst(8).dropLast())
    }

    /// The user names of `/etc/passwd` by their numbers.
    ///
    /// Read here and not asked of the system, which may go and ask a directory server.
    static func userNames(_ passwd: String) -> [UInt32: String] {
        var names: [UInt32: String] = [:]
        for line in passwd.split(separator: "\n") {
            let fields = line.split(separator: ":", omittingEmptySubsequences: false)
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
        var line = shown.joined(separator: " ").filter { !$0.isNewline }
        // A short one is too likely to be a part of something else.
        for secret in secrets where secret.utf8.count > 5 { line = line.replacing(secret, with: "***") }
        return line.count > limit ? line.prefix(limit - 1) + "…" : line
    }

    /// The word without the secret in it; `nil` when it has none.
    private static func withoutSecret(_ word: String, program: String) -> String? {
        for flag in ["--password=", "--pass=", "--token=", "DB_PASSWORD=", "MYSQL_PWD="] where word.hasPrefix(flag) {
            return flag + "***"
        }
        // mysql's and mariadb's own -pSECRET; other programs mean other things by -p.
        if word.hasPrefix("-p"), word.count > 2, !word.hasPrefix("--"),
            program.contains("mysql") || program.contains("mariadb")
        {
            return "-p***"
        }
        // user:secret@host
        if let scheme = word.firstRange(of: "://"), let at = word[scheme.upperBound...].lastIndex(of: "@"),
            let colon = word[scheme.upperBound..<at].firstIndex(of: ":")
        {
            return word[...colon] + "***" + word[at...]
        }
        return nil
    }
}
