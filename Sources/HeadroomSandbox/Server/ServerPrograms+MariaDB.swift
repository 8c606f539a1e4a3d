extension ServerPrograms {
    /// The MariaDB that is installed on this machine.
    static func mariaDB() throws -> ServerPrograms {
        // The installer itself runs the third one.
        guard let server = Files.program("mariadbd"), let installer = Files.program("mariadb-install-db"),
            Files.program("my_print_defaults") != nil
        else {
            throw SandboxError(
                .serverMissing,
                "The MariaDB server's programs are not installed. Install them with: "
                    + "apt-get install mariadb-server-core mariadb-client-core"
            )
        }
        return ServerPrograms(
            server: [server, "--no-defaults"] + userArguments,
            installer: [
                // By force: also on a host that cannot look its own name up, which a server without TCP needs not.
                installer, "--no-defaults", "--force", "--skip-test-db", "--skip-name-resolve",
                "--auth-root-authentication-method=normal", "--innodb-log-file-size=8M",
            ] + userArguments,
            arguments: ["--innodb-log-file-size=48M"],
            statements: [
                // The administrator comes through the socket only, which its folder keeps from other users.
                "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost'",
                "FLUSH PRIVILEGES",
            ]
        )
    }
}
