import HTTPTypes
package import Headroom
package import Hummingbird
import HummingbirdCore
import HummingbirdTLS
package import Logging
import NIOCore
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
        let certificates = try certificates(options)
        let names = try HostNames(options, certified: certificates.first.map(Self.names) ?? [])
        let recognition = Recognition(credentials, cookie: SessionCookie(isSecure: options.isSecure))
        let dashboard = try Dashboard(loaded, options, recognition, logger: logger)
        let address: BindAddress =
            switch options.place {
            case .tcp(let host, let port): .hostname(host, port: port)
            case .socket(let path): .unixDomainSocket(path: path)
            }
        return Application(
            router: router(dashboard, names),
            server: try server(options, certificates, dashboard.connections),
            configuration: ApplicationConfiguration(address: address, serverName: nil, backlog: 1024),
            onServerRunning: { await isRunning($0.localAddress?.port) },
            logger: logger
        )
    }

    private static func certificates(_ options: WebOptions) throws -> [NIOSSLCertificate] {
        guard let chain = options.certificate?.chain else { return [] }
        do {
            return try NIOSSLCertificate.fromPEMFile(chain)
        } catch {
            throw unusable(error)
        }
    }

    /// The names that a certificate is for.
    private static func names(_ certificate: NIOSSLCertificate) -> [String] {
        certificate._subjectAlternativeNames()
            .compactMap { name in
                switch name.nameType {
                case .dnsName: return String(decoding: name.contents, as: UTF8.self)
                case .ipAddress:
                    let bytes = ByteBuffer(bytes: name.contents)
                    guard let address = try? SocketAddress(packedIPAddress: bytes, port: 0).ipAddress else {
                        return nil
                    }
                    return address.holds(":") ? "[\(address)]" : address
                default: return nil
                }
            }
    }

    private static func unusable(_ error: any Error) -> DatabaseError {
        DatabaseError(
            .settingsInvalid,
            message: "The certificate or its key cannot be used: \(error).",
            advice: "Both are PEM files; the key must fit the certificate."
        )
    }

    private static func server(
        _ options: WebOptions,
        _ certificates: [NIOSSLCertificate],
        _ connections: Connections
    ) throws -> HTTPServerBuilder {
        let http = HTTPServerBuilder.http1(
            configuration: HTTP1Channel.Configuration(
                additionalChannelHandlers: [connections.handler()],
                httpDecoderConfiguration: .init(
                    maxHeaderFieldSize: 16 << 10,
                    maxHeaderListSize: 32 << 10,
                    maxHeaderFieldCount: 100
                )
            )
        )
        guard let certificate = options.certificate else { return http }
        do {
            var tls = TLSConfiguration.makeServerConfiguration(
                certificateChain: certificates.map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: certificate.key, format: .pem))
            )
            tls.minimumTLSVersion = .tlsv12
            return try .tls(http, tlsConfiguration: tls)
        } catch {
            throw unusable(error)
        }
    }

    static func router(_ dashboard: Dashboard, _ names: HostNames) -> Router<WebContext> {
        let router = Router(context: WebContext.self, options: .autoGenerateHeadEndpoints)
        router.add(middleware: SecurityHeaders(isSecure: dashboard.options.isSecure))
        // Twice: for what is refused before it is known who asks, and after that with what only they may read.
        router.add(middleware: ErrorPages(dashboard: dashboard))
        router.add(middleware: HostCheck(names: names))
        router.add(middleware: RecognitionMiddleware(dashboard: dashboard))
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
        let members = router.group("").add(middleware: MembersOnly())
        SignInRoutes(dashboard: dashboard).add(to: router, members: members)
        AccountRoutes(dashboard: dashboard).add(to: members)
        ActionRoutes(dashboard: dashboard).add(to: members)
        ImportRoutes(dashboard: dashboard).add(to: members)
        UploadRoutes(dashboard: dashboard).add(to: members)
        APIRoutes(dashboard: dashboard).add(to: router)
        return router
    }
}
