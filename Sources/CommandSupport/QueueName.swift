package import Headroom

/// The name by which a queue's worker, and those who queue jobs, know each other on a host.
package enum QueueName {
    /// A queue is a database on a server; this host's own is one server, whichever way it is reached.
    ///
    /// - Parameters:
    ///   - loaded: The settings that lead to the database.
    ///   - name: A name that somebody gave it; else `HEADROOM_QUEUE`.
    /// - Returns: The name.
    /// - Throws: ``DatabaseError`` when the setting cannot be used.
    package static func of(_ loaded: LoadedSettings, named name: String? = nil) throws -> String {
        if let name = try name ?? loaded.found.value(.queue) { return "work.\(try checked(name))" }
        let settings = loaded.database
        let host =
            switch settings.endpoint {
            case .socket: "localhost"
            case .tcp(let host, _): ["127.0.0.1", "::1"].contains(host) ? "localhost" : host
            }
        let text = "\(host).\(settings.database ?? "")"
        let safe = text.unicodeScalars.map { $0.isNameSign ? "\($0)" : "_" }.joined()
        return "work.\(safe.prefix(90))"
    }

    /// Refuses a name that cannot be a file's, in the words of the setting that gave it.
    private static func checked(_ name: String) throws -> String {
        guard !name.isEmpty, name.utf8.count <= 90, name.isAll(\.isNameSign) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "'\(name)' cannot be the name of a queue (--queue, HEADROOM_QUEUE).",
                advice: "Use letters, digits, '_', '-' and '.', at most 90."
            )
        }
        return name
    }
}
