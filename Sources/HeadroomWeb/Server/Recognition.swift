import FoundationEssentials
import HTTPTypes
import Headroom
import Hummingbird
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

    /// Who asks; `nil` when it is nobody we know.
    func visitor(_ request: Request) -> Visitor? {
        if let value = request.headers[.authorization] {
            let prefix = "bearer "
            guard value.lowercased().begins(with: prefix), credentials.isToken(String(value.dropFirst(prefix.count)))
            else {
                return nil
            }
            return Visitor(name: "token")
        }
        guard let value = request.cookies[SessionCookie.name]?.value,
            let session = cookie.session(value, at: Self.now), ended.withLock({ $0[session.id] == nil })
        else { return nil }
        return Visitor(name: session.user, session: session)
    }

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

/// Puts into the context who asks.
struct RecognitionMiddleware: RouterMiddleware {
    typealias Context = WebContext

    let recognition: Recognition
    let isBehindProxy: Bool

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.visitor = recognition.visitor(request)
        // The last one is what the proxy itself has added.
        if isBehindProxy, let last = request.headers[.forwardedFor]?.pieces(separator: ",").last {
            context.address = last.keeping { !$0.isBlank }
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
