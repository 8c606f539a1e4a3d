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

    func add(to router: Router<WebContext>) {
        router.get("/sign-in") { _, context in
            context.visitor == nil ? page(context) : Response.redirect(to: "/", type: .normal)
        }
        router.post("/sign-in") { request, context in try await signIn(request, context) }
        router.post("/sign-out") { request, context in
            _ = try await dashboard.form(request, context)
            if let session = context.visitor?.session { recognition.end(session) }
            var response = Response.redirect(to: "/sign-in", type: .normal)
            response.setCookie(cookie("", life: 0))
            return response
        }
    }

    private func signIn(_ request: Request, _ context: WebContext) async throws -> Response {
        guard Recognition.isFromHere(request) else { throw WebError(.forbidden, "Another site has sent this form.") }
        let now = Dashboard.now
        if let wait = dashboard.signInLimit.withLock({ $0.take(context.address, at: now) }) {
            var response = page(
                context,
                problem: "Too many tries. Wait \(wait) s, then try again.",
                status: .tooManyRequests
            )
            response.headers[.retryAfter] = "\(wait)"
            return response
        }
        guard let form = try? await URLEncodedFormDecoder().decode(Form.self, from: request, context: context) else {
            throw WebError(.badRequest, "The form is incomplete.")
        }
        let name = form.name ?? ""
        guard form.password.utf8.count <= 512,
            let user = await recognition.credentials.user(name: name, password: form.password)
        else {
            dashboard.note("sign-in refused", context)
            let what =
                recognition.credentials.hasUsers
                ? "That name and password do not go together." : "That is not the token."
            return page(context, problem: what, name: String(name.prefix(64)), status: .unauthorized)
        }
        dashboard.signInLimit.withLock { $0.forgive(context.address) }
        let session = recognition.cookie.begin(user, at: Recognition.now)
        dashboard.note("signed in", context, ["web.name": "\(user)"])
        var response = Response.redirect(to: "/", type: .normal)
        response.setCookie(cookie(recognition.cookie.value(of: session), life: SessionCookie.life))
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

    private func cookie(_ value: String, life: Int) -> Cookie {
        Cookie(
            name: SessionCookie.name,
            value: value,
            maxAge: life,
            path: "/",
            secure: dashboard.options.isSecure,
            httpOnly: true,
            sameSite: .strict
        )
    }
}
