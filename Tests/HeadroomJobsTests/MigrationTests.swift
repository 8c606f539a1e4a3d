import Headroom
import TestSupport
import Testing

@testable import HeadroomJobs

/// A migration adds what is missing, and leaves alone what is there.
@Suite(.sandbox()) struct MigrationTests {
    @Test func `the second run finds nothing to do`() async throws {
        let database = try await SuiteServer.newDatabase("twice")
        #expect(try await Migration(JobsSchema.tables).run(on: database).count == JobsSchema.tables.count)
        #expect(try await Migration(JobsSchema.tables).run(on: database) == [])
    }

    @Test func `several at once end with every table, once`() async throws {
        let database = try await SuiteServer.newDatabase("together")
        let added = try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<4 { group.addTask { try await Migration(JobsSchema.tables).run(on: database) } }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(added.sorted() == JobsSchema.tables.map { "table \($0.name)" }.sorted())
    }

    @Test func `a table in use keeps its rows and its own ideas, and gets what is missing`() async throws {
        let database = try await SuiteServer.newDatabase("partial")
        try await database.withConnection { connection in
            try await connection.query(
                """
                CREATE TABLE import_jobs (id INT UNSIGNED AUTO_INCREMENT PRIMARY KEY, batch_id VARCHAR(36) NOT NULL,
                filename VARCHAR(80) NOT NULL, file_path VARCHAR(500) NOT NULL, own_idea INT DEFAULT 7)
                """
            )
            try await connection.query("INSERT INTO import_jobs (batch_id, filename, file_path) VALUES ('b', 'f', 'p')")
        }
        let added = try await Migration(JobsSchema.tables).run(on: database)
        #expect(added.contains("column import_jobs.retry_at"))
        #expect(added.contains("index import_jobs.uq_import_jobs_batch"))
        #expect(!added.contains("column import_jobs.filename"))
        try await database.withConnection { connection in
            let row = try await connection.query("SELECT filename, own_idea, retry_count FROM import_jobs")
                .first(String.self, Int.self, Int.self)
            #expect(row?.0 == "f")
            #expect(row?.1 == 7)
            #expect(row?.2 == 0)
        }
    }

    @Test func `without a database the migration says what is missing`() async throws {
        var settings = try SuiteServer.settings()
        settings.database = nil
        await #expect(throws: DatabaseError(.settingsMissing, message: "")) {
            _ = try await Migration(JobsSchema.tables).run(on: Database(settings))
        }
    }
}
