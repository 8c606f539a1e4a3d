import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// A column or a table that would change what is stored in it, without a word, is found before anything is.
@Suite(.sandbox()) struct MisfitTests {
    private func columns(_ type: String, scale: Int? = nil) -> PresentColumn {
        PresentColumn(type: type, whole: type, scale: scale)
    }

    @Test(arguments: [
        ("DECIMAL(15,3) NOT NULL", "decimal", 3, true), ("DECIMAL(15,3) NOT NULL", "decimal", 2, false),
        ("DECIMAL(15,3) NOT NULL", "decimal", 4, true), ("DECIMAL(15,3) NOT NULL", "float", nil, false),
        ("DECIMAL(15,3) NOT NULL", "int", 0, false), ("DECIMAL(15,3) NOT NULL", "double", nil, true),
        ("DATE NOT NULL", "varchar", nil, false), ("DATE NOT NULL", "datetime", 0, true),
        ("TIME NULL", "varchar", nil, false), ("TIME NULL", "time", 0, true), ("TINYINT NULL", "smallint", 0, true),
        ("INT UNSIGNED NOT NULL", "float", nil, false), ("DATETIME(6) NOT NULL", "datetime", 0, false),
        ("DATETIME(6) NOT NULL", "datetime", 6, true), ("VARCHAR(36) NULL", "int", 0, false),
        ("VARCHAR(36) NULL", "text", nil, true), ("ENUM('a','b') NULL", "varchar", nil, true),
    ])
    func `a type holds what another does`(_ own: String, _ type: String, _ scale: Int?, _ holds: Bool) {
        #expect(columns(type, scale: scale).holds(all: own) == holds)
    }

    @Test func `the tables that migrate makes fit, and each that was changed is named with its cure`() async throws {
        try await withQueue("misfits") { _, database in
            let migration = Migration(JobsSchema.tables)
            try await database.withConnection { connection in
                let none = try await migration.misfits(connection)
                #expect(none == [])
                try await connection.query("ALTER TABLE headroom_leases MODIFY expires_at DATETIME NOT NULL")
                try await connection.query("ALTER TABLE headroom_checkpoints ENGINE=MyISAM")
                let found = try await migration.misfits(connection)
                #expect(found.map(\.column) == ["expires_at", nil])
                for misfit in found {
                    let cure = try #require(misfit.description.split(separator: "Change it: ").last)
                    try await connection.query(SQL(raw: String(cure)))
                }
                let left = try await migration.misfits(connection)
                #expect(left == [])
            }
        }
    }
}
