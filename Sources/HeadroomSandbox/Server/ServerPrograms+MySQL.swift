extension ServerPrograms {
    /// The MySQL in a folder with a whole system in it; its administrator comes from `localhost` only, from the first.
    static func mySQL(root: String) throws -> ServerPrograms {
        let command = try inside(root, "/usr/sbin/mysqld")
        let own =
            userArguments + [
                "--lc-messages-dir=\(root)/usr/share/mysql",
                "--character-sets-dir=\(root)/usr/share/mysql/charsets",
                "--plugin-dir=\(root)/usr/lib/mysql/plugin",
                // Elsewhere it would make itself a certificate; a sandbox has TLS when it is asked for.
                "--auto-generate-certs=OFF",
                // Debian's build looks for folders of the system's server.
                "--secure-file-priv=NULL",
                "--mysqlx=OFF",
            ]
        return ServerPrograms(
            server: command + own,
            installer: command + own + ["--initialize-insecure", "--innodb-redo-log-capacity=8M"],
            arguments: ["--innodb-redo-log-capacity=48M"]
        )
    }

    /// The command that runs a server of another system, which lies in a folder.
    ///
    /// Started by the loader of its own system, with that system's libraries, it needs neither a chroot nor rights.
    ///
    /// - Parameters:
    ///   - root: The folder.
    ///   - server: The server's path in it.
    /// - Returns: The command, with the options that lead to its other files.
    /// - Throws: ``SandboxError`` when there is no such server.
    static func inside(_ root: String, _ server: String) throws -> [String] {
        #if arch(arm64)
        let (loader, libraries) = ("\(root)/lib/ld-linux-aarch64.so.1", "\(root)/usr/lib/aarch64-linux-gnu")
        #else
        let (loader, libraries) = ("\(root)/lib64/ld-linux-x86-64.so.2", "\(root)/usr/lib/x86_64-linux-gnu")
        #endif
        guard Files.exists(loader), Files.exists(root + server) else {
            throw SandboxError(
                .serverMissing,
                "There is no \(server) in \(root). Make that folder with scripts/setup-server."
            )
        }
        return [loader, "--library-path", libraries, root + server, "--no-defaults", "--basedir=\(root)/usr"]
    }
}
