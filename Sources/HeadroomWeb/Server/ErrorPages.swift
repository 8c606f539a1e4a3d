import FoundationEssentials
import HTTPTypes
import Headroom
import Hummingbird
import Logging
import MeterImport

/// Turns errors into answers: a page for people, JSON for programs.
struct ErrorPages: RouterMiddleware {
    typealias Context = WebContext

    let dashboard: Dashboard

    @concurrent func handle(
        _ request: Request,
        context: WebContext,
        next: @concurrent (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as WebError {
            return answer(error, request, context)
        } catch let error as DatabaseError {
            return answer(WebError(error), request, context)
        } catch let error as ImportError {
            return answer(WebError(error), request, context)
        } catch let error as HTTPError {
            if error.status == .notFound, let refused = refusal(of: request) { return refused }
            let message = error.status == .notFound ? "There is nothing here." : error.body ?? error.status.reasonPhrase
            return answer(WebError(error.status, message), request, context)
        } catch let error as CancellationError {
            throw error
        } catch {
            dashboard.logger.error(
                "request failed",
                metadata: ["error": "\(error)", "http.path": "\(request.uri.path.prefix(200))"]
            )
            return answer(
                WebError(.internalServerError, "Something went wrong here; the log says what."),
                request,
                context
            )
        }
    }

    /// The answer when a path of the API is there but takes another method.
    private func refusal(of request: Request) -> Response? {
        guard request.uri.path.begins(with: "/api/v1/"), let methods = APIRoutes.methods(of: request.uri.path) else {
            return nil
        }
        let allowed = methods.map(\.rawValue).joined(separator: ", ")
        let error = APIError(code: "method_not_allowed", message: "This path takes \(allowed).", advice: "")
        var response = APIResponse.json(["error": error], .methodNotAllowed)
        response.headers[.allow] = allowed
        return response
    }

    private func answer(_ error: WebError, _ request: Request, _ context: WebContext) -> Response {
        var response = body(error, request, context)
        if let seconds = error.retryAfter { response.headers[.retryAfter] = "\(seconds)" }
        if error.status == .unauthorized { response.headers[.wwwAuthenticate] = "Bearer realm=\"headroom\"" }
        return response
    }

    private func body(_ error: WebError, _ request: Request, _ context: WebContext) -> Response {
        // What the database says names it; that is for those who have signed in.
        let isKnown = context.visitor != nil || error.status != .serviceUnavailable
        let text = isKnown ? error.message : "The database cannot be used at the moment."
        guard request.uri.path.begins(with: "/api/") else {
            return dashboard.message(
                error.status.reasonPhrase,
                text,
                advice: isKnown && !error.advice.isEmpty ? error.advice : nil,
                isProblem: true,
                context,
                status: error.status
            )
        }
        return APIResponse.json(
            ["error": APIError(code: error.code, message: text, advice: isKnown ? error.advice : "")],
            error.status
        )
    }
}

/// An error as the API says it.
struct APIError: Encodable {
    var code: String
    var message: String
    var advice: String
}

/// The API's answers.
enum APIResponse {
    /// A value as JSON, its keys in snake case and in order.
    static func json(_ value: some Encodable, _ status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else { return Response(status: .internalServerError) }
        return Response(
            status: status,
            headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: Array(data)))
        )
    }
}
