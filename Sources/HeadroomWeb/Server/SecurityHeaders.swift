import HTTPTypes
import Hummingbird

/// Says with every answer what a browser may do with it: nothing from elsewhere, no code but the one script, no keeping.
struct SecurityHeaders: RouterMiddleware {
    typealias Context = WebContext

    let isSecure: Bool

    static let policy = """
        default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
        base-uri 'none'; frame-ancestors 'none'
        """

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        response.headers[.contentSecurityPolicy] = Self.policy
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.referrerPolicy] = "same-origin"
        response.headers[.xFrameOptions] = "DENY"
        response.headers[.crossOriginOpenerPolicy] = "same-origin"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if isSecure { response.headers[.strictTransportSecurity] = "max-age=31536000" }
        return response
    }
}

extension HTTPField.Name {
    static var referrerPolicy: Self { Self("Referrer-Policy") ?? .referer }
    static var xFrameOptions: Self { Self("X-Frame-Options") ?? .server }
    static var crossOriginOpenerPolicy: Self { Self("Cross-Origin-Opener-Policy") ?? .server }
    static var secFetchSite: Self { Self("Sec-Fetch-Site") ?? .origin }
    static var forwardedFor: Self { Self("X-Forwarded-For") ?? .from }
    static var formToken: Self { Self("X-Form-Token") ?? .cookie }
}
