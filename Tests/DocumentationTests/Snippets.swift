import Foundation
import Headroom
import HeadroomRequest
import Hummingbird

// The snippets of the documents, so that the compiler reads them; `SnippetTests` holds the pages to this file.

func readme(region: Int) async throws {
    let database = Database(DatabaseSettings(endpoint: .socket(path: "/run/mysqld/mysqld.sock"), username: "app"))

    let names = try await database.withConnection { connection in
        try await connection.query("SELECT name FROM sites WHERE region_id = \(region)").decode(String.self)
    }
    _ = names
}

func openUseClose() async throws {
    let settings = try SettingsSources(environment: ProcessInfo.processInfo.environment).load()
    let database = Database(settings.database)

    let names = try await database.withConnection { connection in
        try await connection.query("SELECT name FROM sites WHERE is_active = \(true)").decode(String.self)
    }
    _ = names
}

func orders(_ database: Database) async throws {
    let orders = try await database.withConnection { connection in
        try await connection.query("SELECT id, total FROM orders").decode(Int.self, Double.self)
    }
    for (id, total) in orders { print(id, total) }
}

func values(_ database: Database) async throws {
    let email = "o'brien@example.org"
    let id = try await database.withConnection { connection in
        try await connection.query("SELECT id FROM users WHERE email = \(email)").first(Int.self)
    }
    _ = id
}

func rowsByName(_ database: Database) async throws {
    struct Site: Decodable {
        var id: Int
        var name: String
        var closedAt: String?
    }

    let sites = try await database.withConnection { connection in
        try await connection.query("SELECT id, name, closed_at FROM sites").decode(Site.self)
    }
    _ = sites
}

func transactions(_ database: Database) async throws {
    try await database.withConnection { connection in
        try await connection.withTransaction {
            try await connection.query("UPDATE accounts SET total = total - \(10) WHERE id = \(1)")
            try await connection.query("UPDATE accounts SET total = total + \(10) WHERE id = \(2)")
        }
    }
}

func manyRows(_ database: Database) async throws {
    try await database.withConnection { connection in
        for try await row in try await connection.stream("SELECT id, name FROM sites") {
            print(try row.decode(Int.self, String.self))
        }
    }
}

func deadlines(_ database: Database) async throws {
    let total = try await database.withConnection(timeout: .seconds(5)) { connection in
        try await connection.query("SELECT COUNT(*) FROM meter_readings", timeout: .seconds(2)).first(Int.self)
    }
    _ = total
}

func errors(_ database: Database) async throws {
    do {
        try await database.withConnection { connection in
            try await connection.query("SELECT 1")
        }
    } catch let error as DatabaseError where error.isRefusal { print(error.message, error.advice, error.limit ?? 0) }
}

func application(_ settings: DatabaseSettings) {
    let database = Database(settings)
    let router = Router(context: BasicDatabaseRequestContext.self)
    router.add(middleware: RequestDatabaseMiddleware(database))

    router.get("sites") { request, context in
        try await context.database.withConnection { connection in
            try await connection.query("SELECT name FROM sites ORDER BY name").decode(String.self)
        }
    }
}

struct Customer {}

struct ShopContext: DatabaseRequestContext {
    var coreContext: CoreRequestContextStorage
    let database: RequestDatabase
    var customer: Customer?

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        database = RequestDatabase(source: source)
    }
}
