import GRDB

/// The tables of the guard's history.
enum HistorySchema {
    /// Brings a file to the tables of today.
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { database in
            try database.create(table: "sample") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("time", .double).notNull().indexed()
                table.column("limit", .integer)
                table.column("used", .integer)
                table.column("active", .integer)
                table.column("sleeping", .integer)
                table.column("idle", .integer)
                table.column("level", .text).notNull()
                table.column("error", .text)
                table.column("server_code", .integer)
                table.column("is_refused", .boolean).notNull()
                table.column("gap_seconds", .double)
            }
            try database.create(table: "event") { table in
                table.autoIncrementedPrimaryKey("id")
                table.column("time", .double).notNull().indexed()
                table.column("kind", .text).notNull()
                table.column("change", .text).notNull()
                table.column("level", .text).notNull()
                table.column("subject", .text).notNull()
                table.column("message", .text).notNull()
                table.column("advice", .text).notNull()
            }
            try database.create(table: "memory") { table in
                table.primaryKey("id", .integer)
                table.column("text", .text).notNull()
            }
        }
        return migrator
    }
}
