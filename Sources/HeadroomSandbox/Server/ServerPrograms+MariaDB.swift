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
            statements: onlyLocalAdministrator
        )
    }

    /// The administrator comes through the socket only, which its folder keeps from other users.
    private static let onlyLocalAdministrator = [
        "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost'", "FLUSH PRIVILEGES",
    ]

    /// The MariaDB in a folder with a whole system in it.
    ///
    /// Its installer is a shell script that looks for the files of the system it runs on, so the tables are made as that makes
    /// them: the server reads the statements of its package.
    static func mariaDB(root: String) throws -> ServerPrograms {
        let command = try inside(root, "/usr/sbin/mariadbd")
        let share = Files.exists("\(root)/usr/share/mariadb/charsets") ? "mariadb" : "mysql"
        let own =
            userArguments + [
                "--lc-messages-dir=\(root)/usr/share/\(share)",
                "--character-sets-dir=\(root)/usr/share/\(share)/charsets",
                "--plugin-dir=\(root)/usr/lib/mysql/plugin",
            ]
        let tables = """
            cd "$0" && { echo "CREATE DATABASE IF NOT EXISTS mysql; USE mysql; SET @auth_root_socket=NULL;"
            cat *_system_tables.sql *_performance_tables.sql *_system_tables_data.sql fill_help_tables.sql \
                maria_add_gis_sp_bootstrap.sql *_sys_schema.sql; } | "$@"
            """
        return ServerPrograms(
            server: command + own,
            installer: ["/bin/sh", "-c", tables, "\(root)/usr/share/\(share)"] + command + own + [
                "--bootstrap", "--log-warnings=0", "--enforce-storage-engine=", "--max-allowed-packet=8M",
                "--net-buffer-length=16K", "--innodb-log-file-size=8M",
            ],
            arguments: ["--innodb-log-file-size=48M"],
            statements: onlyLocalAdministrator
        )
    }
}
