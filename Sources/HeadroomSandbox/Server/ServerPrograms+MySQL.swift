extension ServerPrograms {
    /// The MySQL in a folder with a whole system in it; its administrator comes from `localhost` only, from the first.
    static func mySQL(root: String) throws -> ServerPrograms {
        #if arch(arm64)
        let (loader, libraries) = ("\(root)/lib/ld-linux-aarch64.so.1", "\(root)/usr/lib/aarch64-linux-gnu")
        #else
        let (loader, libraries) = ("\(root)/lib64/ld-linux-x86-64.so.2", "\(root)/usr/lib/x86_64-linux-gnu")
        #endif
        let server = "\(root)/usr/sbin/mysqld"
        guard Files.exists(loader), Files.exists(server) else {
            throw SandboxError(
                .serverMissing,
                "There is no MySQL server in \(root). Make that folder with scripts/setup-mysql."
            )
        }
        // Started by the loader of its own system, with that system's libraries, it needs neither a chroot nor rights.
        let command = [loader, "--library-path", libraries, server, "--no-defaults", "--basedir=\(root)/usr"]
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
}
