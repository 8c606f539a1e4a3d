import Glibc
import Headroom

/// A pool of PHP-FPM, as its file says.
package struct PHPPool: Sendable, Hashable {
    /// The pool's name.
    package var name: String

    /// The user that its processes run as; `nil` where the file does not say.
    package var user: String?

    /// How many pages it serves at once (`pm.max_children`); `nil` where the file does not say.
    package var processes: Int?

    /// The file.
    package var path: String

    /// Reads the pools of a file: `[name]`, and below it `key = value`.
    package static func pools(in text: String, path: String) -> [PHPPool] {
        var pools: [PHPPool] = []
        for line in text.pieces(where: \.endsLine).map(\.trimmed) where !line.begins(with: ";") {
            if line.begins(with: "["), line.ends(with: "]") {
                pools.append(PHPPool(name: String(line.dropFirst().dropLast()), path: path))
                continue
            }
            let parts = line.pieces(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, !pools.isEmpty else { continue }
            let value = parts[1].pieces(separator: ";")[...].first?.trimmed ?? ""
            switch parts[0].trimmed {
            case "user": pools[pools.count - 1].user = value
            case "pm.max_children": pools[pools.count - 1].processes = Int(value).flatMap { $0 > 0 ? $0 : nil }
            default: break
            }
        }
        return pools.filter { $0.name != "global" }
    }

    /// The pools of this host that may be read, where distributions and panels put them.
    package static var ofThisHost: [PHPPool] {
        let parents = ["/etc/php", "/opt/cpanel", "/opt/alt", "/opt/plesk/php"]
        let below = ["fpm/pool.d", "root/etc/php-fpm.d", "etc/php-fpm.d"]
        let folders =
            ["/etc/php-fpm.d", "/usr/local/etc/php-fpm.d"]
            + parents.flatMap { parent in
                (OpenFolder.names(in: parent) ?? []).sorted()
                    .flatMap { name in below.map { "\(parent)/\(name)/\($0)" } }
            }
        return folders.flatMap { folder in
            (OpenFolder.names(in: folder) ?? []).sorted().filter { $0.ends(with: ".conf") }
                .flatMap { pools(in: HostFile.text("\(folder)/\($0)"), path: "\(folder)/\($0)") }
        }
    }
}

/// As which users PHP serves pages on this host, as far as its processes can be seen.
package enum PagesUser: Sendable, Hashable {
    /// As this user, or it cannot be seen, as on hosting where everybody's pages run as themselves.
    case own
    /// As another one.
    case other(String)

    /// Looks at the processes of this host.
    ///
    /// - Parameter file: A file of the application that its pages must be able to read: whoever cannot serves others' pages.
    /// - Returns: Another user only where it is the one that serves pages and may read the file, and this user serves none.
    package static func ofThisHost(reading file: String) -> PagesUser {
        let passwd = HostFile.text("/etc/passwd")
        let names = ProcessText.userNames(passwd)
        var facts = stat()
        guard stat(file, &facts) == 0 else { return .own }
        var others: Set<UInt32> = []
        for process in OpenFolder.names(in: "/proc") ?? [] where Int32(process) != nil {
            let name = HostFile.text("/proc/\(process)/comm")
            guard name.begins(with: "php-fpm") || name.begins(with: "lsphp") || name.begins(with: "php-cgi") else {
                continue
            }
            guard let user = ProcessText.user(HostFile.text("/proc/\(process)/status")) else { continue }
            if user == geteuid() { return .own }
            // Root's is the master of all pools.
            if user != 0, mayRead(facts, user, passwd) { others.insert(user) }
        }
        guard others.count == 1, let user = others.first else { return .own }
        return .other(names[user] ?? "\(user)")
    }

    private static func mayRead(_ facts: stat, _ user: UInt32, _ passwd: String) -> Bool {
        if facts.st_uid == user { return facts.st_mode & S_IRUSR != 0 }
        // The fourth word of a line is the user's own group (passwd(5)).
        let group = passwd.pieces(separator: "\n").map { $0.pieces(separator: ":", omittingEmptySubsequences: false) }
            .first { $0.count > 3 && $0[2] == "\(user)" }?[3]
        if group.flatMap({ UInt32($0) }) == facts.st_gid { return facts.st_mode & S_IRGRP != 0 }
        return facts.st_mode & S_IROTH != 0
    }
}
