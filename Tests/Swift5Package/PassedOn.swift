import Headroom

// What programs do with a connection besides calling it: each of these must compile in Swift 6 with no further setting.

func helper(_ connection: Connection, _ number: Int = 1) async throws -> Int? {
    try await connection.query("SELECT \(number)").first(Int.self)
}

func sum(_ rows: RowStream) async throws -> Int {
    var sum = 0
    for try await row in rows { sum += try row.decode(Int.self) }
    return sum
}

/// Passes a connection on to helpers: from a scope, a transaction, a loop over another one's rows, and a child task.
public func passOn(_ database: Database) async throws -> [Int?] {
    try await database.withConnection { connection in
        var seen = [try await helper(connection)]
        seen.append(try await connection.withTransaction { try await helper(connection, 2) })
        try await database.withConnection { second in
            for try await _ in try await second.stream("SELECT 1") { seen.append(try await helper(connection, 3)) }
        }
        async let child = helper(connection, 4)
        seen.append(try await child)
        seen.append(try await sum(connection.stream("SELECT 2 UNION ALL SELECT \(3)")))
        seen.append(try await Task { try await helper(connection, 6) }.value)
        return seen
    }
}

/// What a window shows.
@MainActor public final class Model {
    /// The numbers that were read.
    public private(set) var numbers: [Int?] = []

    /// Creates an empty model.
    public init() {}

    /// Reads from the main actor, and sets what it shows in the middle of a scope.
    public func load(_ database: Database) async throws {
        try await database.withConnection { connection in
            numbers.append(try await helper(connection))
            try await connection.withTransaction { numbers.append(try await helper(connection, 2)) }
            for try await row in try await connection.stream("SELECT 3") { numbers.append(try row.decode(Int.self)) }
            try await show(connection)
        }
    }

    private func show(_ connection: Connection) async throws { numbers.append(try await helper(connection, 4)) }
}

/// Runs two statements of one connection at once.
public func twoAtOnce(_ database: Database) async throws -> [DatabaseError.Code?] {
    try await database.withConnection { connection in
        async let one = code { _ = try await connection.query("SELECT SLEEP(0.5)") }
        async let other = code { _ = try await connection.query("SELECT SLEEP(\(0.5))") }
        return await [one, other]
    }
}

private func code(_ body: @Sendable () async throws -> Void) async -> DatabaseError.Code? {
    do {
        try await body()
        return nil
    } catch {
        return (error as? DatabaseError)?.code
    }
}
