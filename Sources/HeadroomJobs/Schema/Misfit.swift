public import Headroom

/// A column, or a whole table, that is there and would change or lose what is stored in it, without a word of the server.
public struct Misfit: Sendable, Hashable, CustomStringConvertible {
    /// The table.
    public var table: String
    /// The column; `nil` for the table itself.
    public var column: String?
    /// What is wrong with it, and the statement that changes it.
    public var description: String
}

/// What the server says of a column that is there.
struct PresentColumn: Sendable, Hashable {
    /// The type's name, in lower case.
    var type: String
    /// The whole type, such as `decimal(10,2)`.
    var whole: String
    /// The digits behind a number's point, or of a time's fractions.
    var scale: Int?

    private static let integers = ["tinyint", "smallint", "mediumint", "int", "bigint"]
    private static let texts = ["char", "varchar", "tinytext", "text", "mediumtext", "longtext", "json", "enum"]

    /// Whether what a column of our own definition holds is held as it is, or refused: a number that is too large and a text
    /// that is too long are, while fractions are rounded, and days turned into texts, without a word.
    ///
    /// - Parameter definition: The type as we write it, such as `DECIMAL(15,3) NOT NULL`.
    /// - Returns: Whether it is; also for types of which nothing is known here.
    func holds(all definition: String) -> Bool {
        let name = definition.prefix { $0.isLetter }.lowercased()
        let isSized = definition.dropFirst(name.count).hasPrefix("(")
        let numbers =
            isSized ? definition.prefix { $0 != ")" }.split { !$0.isNumber }.compactMap { Int($0) } : []
        switch name {
        case let name where Self.integers.contains(name): return Self.integers.contains(type) || type == "decimal"
        case "decimal": return type == "double" || type == "decimal" && scale ?? 0 >= numbers.dropFirst().first ?? 0
        case "date": return ["date", "datetime"].contains(type)
        case "time": return type == "time"
        case "datetime", "timestamp":
            return ["datetime", "timestamp"].contains(type) && scale ?? 0 >= numbers.first ?? 0
        case let name where Self.texts.contains(name): return Self.texts.contains(type)
        default: return true
        }
    }
}

extension Table {
    /// What does not fit of a table that is there.
    ///
    /// - Parameters:
    ///   - columns: Its columns, by their names in lower case.
    ///   - isTransactional: Whether what a transaction does to it can be undone.
    ///   - engine: Its storage engine.
    /// - Returns: What was found.
    func misfits(_ columns: [String: PresentColumn], isTransactional: Bool, engine: String) -> [Misfit] {
        let change = "ALTER TABLE `\(name)`"
        var misfits: [Misfit] = []
        if !isTransactional {
            misfits.append(
                Misfit(
                    table: name,
                    description:
                        "The table \(name) is stored by \(engine), which has no transactions: after a crash counts are "
                        + "wrong, and two workers may do one job. Change it: \(change) ENGINE=InnoDB"
                )
            )
        }
        for column in self.columns {
            let type = String(column.definition.dropFirst(column.name.utf8.count + 3))
            guard let present = columns[column.name.lowercased()], !present.holds(all: type) else { continue }
            misfits.append(
                Misfit(
                    table: name,
                    column: column.name,
                    description:
                        "The column \(name).\(column.name) is \(present.whole), which does not hold all that is "
                        + "stored there. Change it: \(change) MODIFY \(column.definition)"
                )
            )
        }
        return misfits
    }
}

extension Migration {
    /// Looks for columns and tables that are there and would change or lose what is stored; changes nothing.
    ///
    /// - Parameter connection: A connection to the database.
    /// - Returns: What was found.
    /// - Throws: ``DatabaseError``, or `CancellationError` when cancelled.
    public func misfits(_ connection: Connection) async throws -> [Misfit] {
        let names = tables.map(\.name)
        let engines =
            try await connection.query(
                """
                SELECT TABLE_NAME, ENGINE, COALESCE((SELECT TRANSACTIONS FROM information_schema.ENGINES AS e
                                                     WHERE e.ENGINE = t.ENGINE), 'YES') = 'YES'
                FROM information_schema.TABLES AS t
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (\(list: names)) AND ENGINE IS NOT NULL
                """
            )
            .decode(String.self, String.self, Bool.self)
        let columns =
            try await connection.query(
                """
                SELECT TABLE_NAME, LOWER(COLUMN_NAME), LOWER(DATA_TYPE), LEFT(COLUMN_TYPE, 100),
                       COALESCE(DATETIME_PRECISION, NUMERIC_SCALE)
                FROM information_schema.COLUMNS
                WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (\(list: names)) LIMIT 10000
                """
            )
            .decode(String.self, String.self, String.self, String.self, Int?.self)
        var present: [String: [String: PresentColumn]] = [:]
        for (table, name, type, whole, scale) in columns {
            present[table, default: [:]][name] = PresentColumn(type: type, whole: whole, scale: scale)
        }
        return tables.flatMap { table -> [Misfit] in
            // A view has no engine of its own, and its columns are those of the table behind it.
            let engine = engines.first { $0.0 == table.name }
            return table.misfits(
                present[table.name] ?? [:],
                isTransactional: engine?.2 ?? true,
                engine: engine?.1 ?? ""
            )
        }
    }
}
