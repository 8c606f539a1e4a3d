import FoundationEssentials
import HTTPTypes
import Headroom
import Hummingbird
import NIOCore
import Synchronization

/// Finds out who asks: by the cookie of a browser, or by the token of a program.
final class Recognition: Sendable {
    let cookie: SessionCookie
    let credentials: Credentials

    /// The sessions that were signed out, until they would have ended by themselves.
    private let ended = Mutex<[String: Int]>([:])

    init(_ credentials: Credentials, cookie: SessionCookie = SessionCookie()) {
        self.credentials = credentials
        self.cookie = cookie
    }

    static var now: Int { Int(Date.now.timeIntervalSince1970) }

    /// What a request shows of who asks.
    enum Finding {
        case nobody
        case visitor(Visitor)
        /// It may read the metrics, and nothing else.
        case scraper
        /// It has a token that is not ours.
        case wrongToken
    }

    /// Who asks.
    func finding(_ request: Request) -> Finding {
        let prefix = "bearer "
        // Another scheme is a proxy's own business.
        if let value = request.headers[.authorization], value.lowercased().begins(with: prefix) {
            let token = String(value.dropFirst(prefix.count))
            if credentials.isToken(token) { return .visitor(Visitor(name: "token")) }
            return credentials.isMetricsToken(token) ? .scraper : .wrongToken
        }
        guard let value = request.cookies[cookie.name]?.value, let session = cookie.session(value, at: Self.now),
            isOpen(session)
        else { return .nobody }
        return .visitor(Visitor(name: session.user, session: session))
    }

    /// Whether a session was not signed out.
    func isOpen(_ session: SessionCookie.Session) -> Bool { ended.withLock { $0[session.id] == nil } }

    /// Ends a session before its time.
    func end(_ session: SessionCookie.Session) {
        ended.withLock { ended in
            ended = ended.filter { $0.value > Self.now }
            ended[session.id] = session.expires
        }
    }

    /// Whether a request that changes something comes from one of our own pages, as far as its browser says.
    static func isFromHere(_ request: Request) -> Bool {
        if let site = request.headers[.secFetchSite] { return site == "same-origin" || site == "none" }
        guard let origin = request.headers[.origin] else { return true }
        guard let host = request.head.authority else { return false }
        return origin == "https://\(host)" || origin == "http://\(host)"
    }
}

/// Puts into the context who asks; a wrong token goes no further, whatever it asks for.
struct RecognitionMiddleware: RouterMiddleware {
    typealias Context = WebContext

    let dashboard: Dashboard

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        // The last one is what the proxy itself has added.
        if dashboard.options.isBehindProxy, let last = request.headers[.forwardedFor]?.pieces(separator: ",").last,
            let address = try? SocketAddress(ipAddress: String(last.trimmed), port: 0)
        {
            context.address = address.ipAddress ?? context.address
        }
        switch dashboard.recognition.finding(request) {
        case .nobody: break
        case .scraper: context.mayScrape = true
        case .visitor(let visitor):
            context.visitor = visitor
            dashboard.connections.noteKnown(context.connection)
        case .wrongToken:
            if let wait = dashboard.takeTry(AddressRange.of(context.address), context) {
                throw WebError(.tooManyRequests, "Too many wrong tokens. Wait \(wait) s.", retryAfter: wait)
            }
            dashboard.noteRefused("token refused", context)
            throw WebError(.unauthorized, "That is not the token.")
        }
        return try await next(request, context)
    }
}

/// Lets only those pass who have signed in.
struct MembersOnly: RouterMiddleware {
    typealias Context = WebContext

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        guard context.visitor == nil else { return try await next(request, context) }
        if request.uri.path.begins(with: "/api/") { throw WebError(.unauthorized, "Sign in first, or send the token.") }
        return .redirect(to: "/sign-in", type: .normal)
    }
}
