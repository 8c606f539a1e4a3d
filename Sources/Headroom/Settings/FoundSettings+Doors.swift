extension FoundSettings {
    /// Every way to the server that some source names which is trusted with it, the one in use first.
    func endpoints(inUse: Endpoint) -> [Endpoint] {
        var endpoints = [inUse]
        let port = entry(.port).flatMap { Int($0.value) } ?? 3306
        let password = passwordTrust(.database)
        for layer in layers where layer.trust.mayGive(Setting.host.trust, toPasswordFrom: password) {
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
        guard let places = try secondPlaces() else { return nil }
        var second = settings
        second.username = try value(.adminUsername) ?? settings.username
        second.password = try value(.adminPassword) ?? settings.password
        // A second account need not have any right on the application's database.
        second.database = nil
        second.endpoint = places[0]
        second.otherEndpoints = Array(places.dropFirst())
        // Encryption has another default for sockets than for TCP.
        second.tls = try tls(for: second.endpoint, password: passwordTrust(.secondAccount))
        return second
    }

    /// Where the second account logs in.
    ///
    /// - Returns: The places; `nil` without a second account, or where only a source says so that is trusted less than the
    ///   second password's.
    func secondPlaces() throws -> [Endpoint]? {
        let (host, socket, port) = (try value(.adminHost), try value(.adminSocket), try number(.adminPort))
        guard try value(.adminUsername) != nil || host != nil || socket != nil || port != nil else { return nil }
        if let socket { return [.socket(path: socket)] }
        // The first account's place, as far as the second password may go there.
        let first = try places(for: passwordTrust(.secondAccount))
        guard try host != nil || first == places() else { return nil }
        guard host != nil || port != nil else { return first }
        var place: (host: String, port: Int) = ("127.0.0.1", 3306)
        if case .tcp(let host, let port) = first[0] { place = (host, port) }
        return [.tcp(host: host ?? place.host, port: port ?? place.port)]
    }
}
