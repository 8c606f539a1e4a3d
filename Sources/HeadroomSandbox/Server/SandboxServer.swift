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
