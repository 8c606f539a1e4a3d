import CommandSupport
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Synchronization

/// Signing in and out.
struct SignInRoutes: Sendable {
    let dashboard: Dashboard

    private var recognition: Recognition { dashboard.recognition }

    private struct Form: Decodable {
        var name: String?
        var password: String
    }

    func add(to router: Router<WebContext>, members: RouterGroup<WebContext>) {
        router.get("/sign-in") { _, context in
            context.visitor == nil ? page(context) : Response.redirect(to: "/", type: .normal)
        }
        router.post("/sign-in") { request, context in try await signIn(request, context) }
        members.post("/sign-out") { request, context in
            _ = try await dashboard.form(request, context)
            if let session = context.visitor?.session { dashboard.end(session) }
            var response = Response.redirect(to: "/sign-in", type: .normal)
            response.setCookie(cookie(recognition.cookie.name, "", life: 0))
            return response
        }
    }

    private func signIn(_ request: Request, _ context: WebContext) async throws -> Response {
        try dashboard.checkSite(request)
        guard let form = try? await URLEncodedFormDecoder().decode(Form.self, from: request, context: context) else {
            throw WebError(.badRequest, "The form is incomplete.")
        }
        let (credentials, cookies) = (recognition.credentials, recognition.cookie)
        let name = form.name ?? ""
        let browser = request.cookies[cookies.browserName].flatMap { cookies.browser($0.value, of: name) }
        let key = browser.map { "browser \($0)" } ?? AddressRange.of(context.address)
        if !credentials.isToken(form.password), let wait = dashboard.takeTry(key, isOwn: browser != nil, context) {
            var response = page(
                context,
                problem: "Too many tries. Wait \(wait) s, then try again.",
                status: .tooManyRequests
            )
            response.headers[.retryAfter] = "\(wait)"
            return response
        }
        guard name.utf8.count <= 64, form.password.utf8.count <= 512,
            let user = await credentials.user(name: name, password: form.password)
        else {
            // People type passwords into the wrong field, so that only a name that there is goes into the log.
            let known = credentials.hasUser(name) ? name : "unknown"
            dashboard.noteRefused("sign-in refused", context, ["web.name": known])
            let what = credentials.hasUsers ? "That name and password do not go together." : "That is not the token."
            return page(context, problem: what, name: String(name.prefix(64)), status: .unauthorized)
        }
        dashboard.forgiveTries(key)
        let session = cookies.begin(user, at: Recognition.now)
        dashboard.note("signed in", context, ["web.name": printable(user)])
        var response = Response.redirect(to: "/", type: .normal)
        response.setCookie(cookie(cookies.name, cookies.value(of: session), life: SessionCookie.life))
        if browser == nil, credentials.hasUser(name) {
            response.setCookie(cookie(cookies.browserName, cookies.browserValue(for: name), life: 30 * 24 * 3600))
        }
        return response
    }

    private func page(
        _ context: WebContext,
        problem: String? = nil,
        name: String = "",
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let credentials = recognition.credentials
        let view = SignInView(
            problem: problem,
            name: name,
            hasUsers: credentials.hasUsers,
            hasToken: credentials.hasToken
        )
        return dashboard.page("Sign in", dashboard.assets.render("signin", view), context, status: status)
    }

    private func cookie(_ name: String, _ value: String, life: Int) -> Cookie {
        Cookie(
            name: name,
            value: value,
            maxAge: life,
            path: "/",
            secure: recognition.cookie.isSecure,
            httpOnly: true,
            sameSite: .strict
        )
    }
}
