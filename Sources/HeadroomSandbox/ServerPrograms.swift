import Glibc

/// Names the database server that a sandbox runs.
public enum SandboxServer: Sendable, Hashable {
    /// The MariaDB that is installed on this machine.
    case mariaDB

    /// The MySQL in a folder with a whole system in it, as `scripts/setup-server mysql` makes one.
    case mySQL(root: String)

    /// The MariaDB of another generation in such a folder.
    case mariaDBIn(root: String)

    /// Finds the server's programs.
    ///
    /// - Throws: ``SandboxError`` when they are not there.
    func programs() throws -> ServerPrograms {
        switch self {
        case .mariaDB: try .mariaDB()
        case .mySQL(let root): try .mySQL(root: Files.absolute(root))
        case .mariaDBIn(let root): try .mariaDB(root: Files.absolute(root))
        }
    }
}

/// All in which one server differs from another: the rest of a sandbox is the same for each.
package struct ServerPrograms {
    /// The command that runs the server, up to its own options.
    package var server: [String]

    /// The command that fills a data folder; it takes `--datadir` and `--tmpdir`.
    package var installer: [String]

    /// The options that are the server's own, in every sandbox.
    package var arguments: [String]

    /// The statements that its data folder needs beside those that make the account.
    package var statements: [String] = []

    /// What the programs want to hear before they run as root.
    package static var userArguments: [String] { geteuid() == 0 ? ["--user=root"] : [] }
}

extension ServerPrograms {
    /// The MariaDB that is installed on this machine.
    package static func mariaDB() throws -> ServerPrograms {
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
    package static func mariaDB(root: String) throws -> ServerPrograms {
        let command = try inside(root, "/usr/sbin/mariadbd")
        let share = Files.exists("\(root)/usr/share/mariadb/charsets") ? "mariadb" : "mysql"
        let own =
            userArguments + [
                "--lc-messages-dir=\(root)/usr/share/\(share)",
                "--character-sets-dir=\(root)/usr/share/\(share)/charsets",
                "--plugin-dir=\(root)/usr/lib/mysql/plugin",
            ]
        let tables = """
            cd "$0" && { printf '%s;\\n' 'CREATE DATABASE IF NOT EXISTS mysql' 'USE mysql' 'SET @auth_root_socket=NULL'
            cat *_system_tables.sql *_performance_tables.sql *_system_tables_data.sql fill_help_tables.sql \
                maria_add_gis_sp_bootstrap.sql *_sys_schema.sql 2>/dev/null; } | "$@"
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

extension ServerPrograms {
    /// The MySQL in a folder with a whole system in it; its administrator comes from `localhost` only, from the first.
    package static func mySQL(root: String) throws -> ServerPrograms {
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
        let (loaders, libraries) = (["lib/ld-linux-aarch64.so.1"], "\(root)/usr/lib/aarch64-linux-gnu")
        #else
        // Debian 11 has a link there, which leads to the file of the same name in the system that it is run on.
        let (loaders, libraries) = (
            ["lib64/ld-linux-x86-64.so.2", "usr/lib/x86_64-linux-gnu/ld-2.31.so"], "\(root)/usr/lib/x86_64-linux-gnu"
        )
        #endif
        guard let loader = loaders.map({ "\(root)/\($0)" }).first(where: Files.exists), Files.exists(root + server)
        else {
            throw SandboxError(
                .serverMissing,
                "There is no \(server) in \(root). Make that folder with scripts/setup-server."
            )
        }
        return [loader, "--library-path", libraries, root + server, "--no-defaults", "--basedir=\(root)/usr"]
    }
}
