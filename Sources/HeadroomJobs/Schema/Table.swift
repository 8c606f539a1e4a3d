/// A table as Headroom needs it: one description, from which a missing table is created and a partial one completed.
public struct Table: Sendable {
    /// The table's name.
    public var name: String

    /// The columns, in their order.
    public var columns: [Part]

    /// The indexes; the primary key comes first.
    public var indexes: [Part]

    /// The foreign keys.
    public var foreignKeys: [Part]

    /// A named part of a table, with its definition as SQL has it.
    public struct Part: Sendable {
        /// The part's name; the primary key's is `PRIMARY`.
        public var name: String

        /// The whole definition, the name included.
        public var definition: String
    }

    /// Creates a description.
    ///
    /// - Parameters:
    ///   - name: The table's name.
    ///   - columns: Names and types, such as `("id", "INT UNSIGNED NOT NULL AUTO_INCREMENT")`.
    ///   - primaryKey: The columns of the primary key.
    ///   - unique: Unique indexes: name and columns.
    ///   - indexes: Other indexes: name and columns.
    ///   - foreignKeys: Name, column, and what it refers to, such as `"sites (id) ON DELETE CASCADE"`.
    public init(
        _ name: String,
        columns: [(name: String, type: String)],
        primaryKey: String = "id",
        unique: [(name: String, columns: String)] = [],
        indexes: [(name: String, columns: String)] = [],
        foreignKeys: [(name: String, column: String, target: String)] = []
    ) {
        self.name = name
        self.columns = columns.map { Part(name: $0.name, definition: "`\($0.name)` \($0.type)") }
        self.indexes =
            [Part(name: "PRIMARY", definition: "PRIMARY KEY (\(primaryKey))")]
            + unique.map { Part(name: $0.name, definition: "UNIQUE KEY `\($0.name)` (\($0.columns))") }
            + indexes.map { Part(name: $0.name, definition: "KEY `\($0.name)` (\($0.columns))") }
        self.foreignKeys = foreignKeys.map {
            Part(
                name: $0.name,
                definition: "CONSTRAINT `\($0.name)` FOREIGN KEY (`\($0.column)`) REFERENCES \($0.target)"
            )
        }
    }

    /// The statement that creates the table when it is missing.
    var creation: String {
        let parts = (columns + indexes + foreignKeys).map { "  \($0.definition)" }.joined(separator: ",\n")
        return """
            CREATE TABLE IF NOT EXISTS `\(name)` (
            \(parts)
            ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci
            """
    }

    /// What must be added to a table that has the given columns and indexes.
    ///
    /// Never a primary key or a foreign key: a table that is already in use keeps its own idea of those.
    func additions(columns present: Set<String>, indexes presentIndexes: Set<String>) -> [(what: String, sql: String)] {
        let missing = columns.filter { !present.contains($0.name.lowercased()) }
            .map { ("column \(name).\($0.name)", "ALTER TABLE `\(name)` ADD COLUMN \($0.definition)") }
        let indexes = indexes.filter { $0.name != "PRIMARY" && !presentIndexes.contains($0.name.lowercased()) }
            .map { ("index \(name).\($0.name)", "ALTER TABLE `\(name)` ADD \($0.definition)") }
        return missing + indexes
    }
}
