extension FoundSettings {
    /// Every way to the server that some source names, the one in use first.
    func endpoints(inUse: Endpoint) -> [Endpoint] {
        var endpoints = [inUse]
        let port = entry(.port).flatMap { Int($0.value) } ?? 3306
        for layer in layers {
            let sockets = layer[.socket].map { [Endpoint.socket(path: $0.value)] } ?? []
            let hosts =
                layer[.host].flatMap { $0.value == "localhost" ? nil : Endpoint.list($0.value, port: port) } ?? []
            for endpoint in sockets + hosts where !endpoints.contains(endpoint) {
                endpoints.append(endpoint)
            }
        }
        return endpoints
    }

    /// The second account: what `HEADROOM_ADMIN_` names say, and the first one's settings for the rest.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    func administrator(beside settings: DatabaseSettings) throws -> DatabaseSettings? {
        let (username, host, socket) = (try value(.adminUsername), try value(.adminHost), try value(.adminSocket))
        let port = try number(.adminPort)
        guard username != nil || host != nil || socket != nil || port != nil else { return nil }
        var second = settings
        second.username = username ?? settings.username
        second.password = try value(.adminPassword) ?? settings.password
        // A second account need not have any right on the application's database.
        second.database = nil
        if socket != nil || host != nil || port != nil { second.otherEndpoints = [] }
        if let socket {
            second.endpoint = .socket(path: socket)
        } else if host != nil || port != nil {
            var place: (host: String, port: Int) = ("127.0.0.1", 3306)
            if case .tcp(let host, let port) = settings.endpoint { place = (host, port) }
            second.endpoint = .tcp(host: host ?? place.host, port: port ?? place.port)
        }
        // Encryption has another default for sockets than for TCP.
        second.tls = try tls(for: second.endpoint)
        return second
    }
}
