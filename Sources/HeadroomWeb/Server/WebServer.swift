import HTTPTypes
package import Headroom
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOSSL

/// The dashboard, ready to be served.
package enum WebServer {
    /// Puts the dashboard together.
    ///
    /// - Parameters:
    ///   - loaded: The account, and the other ways to its server.
    ///   - options: How it is served.
    ///   - credentials: Who may sign in.
    ///   - logger: Takes what happens.
    ///   - isRunning: Is told the port when it listens; `nil` for a unix socket.
    /// - Returns: The application, which runs until it is told to stop.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it may not be served like this.
    package static func application(
        _ loaded: LoadedSettings,
        _ options: WebOptions,
        _ credentials: Credentials,
        logger: Logger,
        isRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws -> some ApplicationProtocol {
        try options.validate(credentials)
        let dashboard = try Dashboard(loaded, options, Recognition(credentials), logger: logger)
        let address: BindAddress =
            switch options.place {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .socket(let path): .unixDomainSocket(path: path)
            }
        return Application(
            router: router(dashboard),
            server: try server(options),
            configuration: ApplicationConfiguration(address: address, serverName: nil),
            onServerRunning: { await isRunning($0.localAddress?.port) },
            logger: logger
        )
    }

    private static func server(_ options: WebOptions) throws -> HTTPServerBuilder {
        guard let certificate = options.certificate else { return .http1() }
        do {
            let chain = try NIOSSLCertificate.fromPEMFile(certificate.chain)
                .map { NIOSSLCertificateSource.certificate($0) }
            let key = try NIOSSLPrivateKey(file: certificate.key, format: .pem)
            var tls = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
            tls.minimumTLSVersion = .tlsv12
            return try .tls(.http1(), tlsConfiguration: tls)
        } catch {
            throw DatabaseError(
                .settingsInvalid,
                message: "The certificate or its key cannot be used: \(error).",
                advice: "Both are PEM files; the key must fit the certificate."
            )
        }
    }

    private static func router(_ dashboard: Dashboard) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeaders(isSecure: dashboard.options.isSecure))
        router.add(
            middleware: RecognitionMiddleware(
                recognition: dashboard.recognition,
                isBehindProxy: dashboard.options.isBehindProxy
            )
        )
        router.add(middleware: ErrorPages(dashboard: dashboard))
        router.get("/assets/:name") { _, context in
            // A name is looked up, never opened.
            guard let file = dashboard.assets.files[try context.parameters.require("name")] else {
                throw WebError(.notFound, "There is nothing here.")
            }
            return Response(
                status: .ok,
                headers: [.contentType: file.type, .cacheControl: "public, max-age=31536000, immutable"],
                body: ResponseBody(byteBuffer: file.content)
            )
        }
        Monitoring(dashboard: dashboard).add(to: router)
        SignInRoutes(dashboard: dashboard).add(to: router)
        let members = router.group("").add(middleware: MembersOnly())
        AccountRoutes(dashboard: dashboard).add(to: members)
        ActionRoutes(dashboard: dashboard).add(to: members)
        ImportRoutes(dashboard: dashboard).add(to: members)
        UploadRoutes(dashboard: dashboard).add(to: members)
        APIRoutes(dashboard: dashboard).add(to: router)
        return router
    }
}
