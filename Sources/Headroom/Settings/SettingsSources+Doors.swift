extension SettingsSources {
    /// Every way to the server that some source names, the one in use first.
    func named(_ layers: [SettingsLayer], _ inUse: Endpoint) -> [Endpoint] {
        var endpoints = [inUse]
        let port = layers.lazy.compactMap { $0["DB_PORT"] }.first.flatMap(Int.init) ?? 3306
        for layer in layers {
            let socket = layer["DB_SOCKET"].map { Endpoint.socket(path: $0) }
            let host = layer["DB_HOST"].flatMap { $0 == "localhost" ? nil : Endpoint.tcp(host: $0, port: port) }
            for endpoint in [socket, host].compactMap(\.self) where !endpoints.contains(endpoint) {
                endpoints.append(endpoint)
            }
        }
        return endpoints
    }

    /// The second account: what `HEADROOM_ADMIN_` names say, and the first one's settings for the rest.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`.
    func administrator(_ layers: [SettingsLayer], beside settings: DatabaseSettings) throws -> DatabaseSettings? {
        func first(_ name: String) -> (value: String, origin: String)? {
            layers.lazy.compactMap { layer in layer["HEADROOM_ADMIN_\(name)"].map { ($0, layer.origin) } }.first
        }
        let (username, password) = (first("USERNAME")?.value, first("PASSWORD")?.value)
        let (host, socket) = (first("HOST")?.value, first("SOCKET")?.value)
        let port = try first("PORT")
            .map { text, origin in
                guard let port = Int(text), (1...65_535).contains(port) else {
                    throw DatabaseError(
                        .settingsInvalid,
                        message: "HEADROOM_ADMIN_PORT in \(origin) is '\(text)'.",
                        advice: "It must be a number from 1 to 65535."
                    )
                }
                return port
            }
        guard username != nil || host != nil || socket != nil || port != nil else { return nil }
        var second = settings
        second.username = username ?? settings.username
        second.password = password ?? settings.password
        // A second account need not have any right on the application's database.
        second.database = nil
        if let socket {
            second.endpoint = .socket(path: socket)
        } else if host != nil || port != nil {
            var place: (host: String, port: Int) = ("127.0.0.1", 3306)
            if case .tcp(let host, let port) = settings.endpoint { place = (host, port) }
            second.endpoint = .tcp(host: host ?? place.host, port: port ?? place.port)
        }
        // Encryption has another default for sockets than for TCP.
        if second.endpoint.isSocket != settings.endpoint.isSocket, settings.tls.mode.isDefault {
            second.tls.mode = second.endpoint.isSocket ? .disabled : .preferred
        }
        return second
    }
}

extension TLS.Mode {
    /// Whether it is what settings have that say nothing of encryption.
    fileprivate var isDefault: Bool { self == .disabled || self == .preferred }
}
