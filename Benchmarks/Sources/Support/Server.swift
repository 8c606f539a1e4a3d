package import Headroom
package import HeadroomSandbox

extension Sandbox {
    /// The account's database, or another one of the account.
    package func database(_ name: String? = nil) throws -> Database {
        var settings = try SettingsSources(environment: environment).load().database
        if let name { settings.database = name }
        return Database(settings)
    }

    /// The same, as the server's administrator.
    package func administrator() throws -> Database {
        var settings = try SettingsSources(environment: environment).load().database
        (settings.username, settings.password) = ("root", "")
        return Database(settings)
    }

    /// One of the server's counters.
    package func counter(_ name: String) async throws -> Int {
        try await administrator()
            .withConnection { connection in
                try await connection.query(
                    "SELECT variable_value FROM information_schema.global_status WHERE variable_name = \(name)"
                )
                .first(String.self)
            }
            .flatMap { Int($0) } ?? 0
    }
}
