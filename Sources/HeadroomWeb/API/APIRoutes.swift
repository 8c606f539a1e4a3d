import HTTPTypes
import Headroom
import HeadroomJobs
import HeadroomWatch
import Hummingbird
import MeterImport
import Reporting

/// The JSON interface under `/api/v1`, as `openapi.json` describes it.
struct APIRoutes: Sendable {
    let dashboard: Dashboard

    func add(to router: Router<WebContext>) {
        let api = router.group("/api/v1").add(middleware: MembersOnly())
        api.get("/openapi.json") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: "application/json"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.openapi_json))
            )
        }
        api.get("/account") { _, _ in APIResponse.json(AccountJSON(await dashboard.account.picture())) }
        api.get("/history") { request, _ in try await history(request) }
        api.get("/jobs") { request, _ in try await list(request) }
        api.post("/jobs") { request, context in try await add(request, context) }
        api.get("/jobs/:id") { _, context in APIResponse.json(JobJSON(try await dashboard.job(try id(context)))) }
        api.get("/jobs/:id/rejects") { request, context in try await rejects(request, context) }
        api.delete("/jobs/:id") { request, context in
            let withReadings = try flag("with_readings", request)
            try await change(.delete, request, context, withReadings: withReadings)
            return Response(status: .noContent)
        }
        for deed in [ImportRoutes.Deed.cancel, .retry] {
            api.post("/jobs/:id/\(deed.rawValue)") { request, context in
                try await change(deed, request, context)
                return APIResponse.json(JobJSON(try await dashboard.job(try id(context))))
            }
        }
        api.post("/sessions/:id/end") { request, context in try await endSession(request, context) }
    }

    /// What each path answers to; the others are told so.
    static let methods: [(path: String, methods: [HTTPRequest.Method])] = [
        ("/openapi.json", [.get]), ("/account", [.get]), ("/history", [.get]), ("/jobs", [.get, .post]),
        ("/jobs/:id", [.get, .delete]), ("/jobs/:id/rejects", [.get]), ("/jobs/:id/cancel", [.post]),
        ("/jobs/:id/retry", [.post]), ("/sessions/:id/end", [.post]),
    ]

    /// What a path answers to; `nil` when there is no such path.
    static func methods(of path: String) -> [HTTPRequest.Method]? {
        let parts = path.pieces(separator: "/").dropFirst(2)
        return methods.first { entry in
            let names = entry.path.pieces(separator: "/")
            return names.count == parts.count && zip(names, parts).allSatisfy { $0.begins(with: ":") || $0 == $1 }
        }?
        .methods
    }

    private func id(_ context: WebContext) throws -> Int {
        guard let id = context.parameters.get("id", as: Int.self), id > 0, id <= Int(UInt32.max) else {
            throw WebError(.badRequest, "An id is a whole number from 1 to 4294967295.", code: "bad_parameter")
        }
        return id
    }

    private func flag(_ name: String, _ request: Request) throws -> Bool {
        switch request.uri.queryParameters.get(name) {
        case nil, "false": return false
        case "true": return true
        default: throw WebError(.badRequest, "\(name) is true or false.", code: "bad_parameter")
        }
    }

    private func history(_ request: Request) async throws -> Response {
        let text = request.uri.queryParameters.get("range") ?? "hour"
        guard let range = Timeline.Range(rawValue: text) else {
            throw WebError(.badRequest, "range is hour, day or week.", code: "bad_parameter")
        }
        return APIResponse.json(HistoryJSON(range, await dashboard.looker.past(range, now: Dashboard.now)))
    }

    private func number(_ name: String, _ request: Request, _ range: ClosedRange<Int>, default value: Int) throws -> Int
    {
        guard let text = request.uri.queryParameters.get(name) else { return value }
        guard let number = Int(text), range.contains(number) else {
            throw WebError(
                .badRequest,
                "\(name) is a whole number from \(range.lowerBound) to \(range.upperBound).",
                code: "bad_parameter"
            )
        }
        return number
    }

    private func list(_ request: Request) async throws -> Response {
        let limit = try number("limit", request, 1...200, default: 20)
        var status: ImportJob.Status?
        if let text = request.uri.queryParameters.get("status") {
            status = ImportJob.Status(rawValue: text)
            guard status != nil else {
                throw WebError(
                    .badRequest,
                    "status is one of \(ImportJob.Status.allCases.map(\.rawValue).joined(separator: ", ")).",
                    code: "bad_parameter"
                )
            }
        }
        let jobs = try await dashboard.queue.list(limit: limit, status: status)
        return APIResponse.json(["jobs": jobs.map(JobJSON.init)])
    }

    private func add(_ request: Request, _ context: WebContext) async throws -> Response {
        try dashboard.checkForm(request.headers[.formToken], request, context)
        let query = request.uri.queryParameters
        guard let type = query.get("type").flatMap(ImportType.init) else {
            throw WebError(.badRequest, "type is one of hh, daily, sites.", code: "bad_parameter")
        }
        if let order = query.get("date_order"), DateOrder(rawValue: order) == nil {
            throw WebError(.badRequest, "date_order is dmy, mdy or ymd.", code: "bad_parameter")
        }
        var form = UploadForm()
        form.type = type
        form.filename = UploadForm.shown(query.get("filename") ?? "upload.csv")
        form.mpan = query.get("mpan") ?? ""
        form.timezone = query.get("timezone") ?? ""
        form.dateOrder = query.get("date_order") ?? ""
        form.layout = query.get("layout") ?? ""
        form.isDryRun = try flag("dry_run", request)
        guard form.mpan.unicodeScalars.count <= 21, form.timezone.unicodeScalars.count <= 64 else {
            throw WebError(.badRequest, "mpan has at most 21 characters, timezone 64.", code: "bad_parameter")
        }
        let intake = FileIntake(dashboard)
        let file = try await intake.newFile(request)
        try await file.begin()
        for try await buffer in request.body { try await file.write(Array(buffer.readableBytesView)) }
        do {
            let id = try await intake.queue(file, form, context)
            var response = APIResponse.json(JobJSON(try await dashboard.job(id)), .created)
            response.headers[.location] = "/api/v1/jobs/\(id)"
            return response
        } catch let error as FileIntake.Unusable {
            throw WebError(
                .unprocessableContent,
                ([error.message] + error.details).joined(separator: " "),
                code: "file_unusable"
            )
        }
    }

    private func rejects(_ request: Request, _ context: WebContext) async throws -> Response {
        let job = try await dashboard.job(try id(context))
        let limit = try number("limit", request, 1...1000, default: 100)
        var rows: [RejectJSON] = []
        try await dashboard.queue.rejectedRows(of: job.id, limit: limit) { line, content, reason in
            rows.append(RejectJSON(line: line, content: content, reason: reason))
        }
        return APIResponse.json(RejectsJSON(total: job.counts.failed, rows: rows))
    }

    private func change(
        _ deed: ImportRoutes.Deed,
        _ request: Request,
        _ context: WebContext,
        withReadings: Bool = false
    ) async throws {
        try dashboard.checkForm(request.headers[.formToken], request, context)
        try await JobDeed(dashboard).run(deed, try id(context), withReadings: withReadings, context)
    }

    private func endSession(_ request: Request, _ context: WebContext) async throws -> Response {
        try dashboard.checkForm(request.headers[.formToken], request, context)
        guard let id = context.parameters.get("id", as: UInt64.self), id > 0 else {
            throw WebError(.badRequest, "An id is a whole number from 1.", code: "bad_parameter")
        }
        let includes = try flag("include_transaction", request)
        let outcome = try await SessionEnd(dashboard).run(id, includingTransaction: includes, context)
        guard outcome.isDone else { throw WebError(.conflict, outcome.text, code: "session_\(outcome.result)") }
        return APIResponse.json(["result": outcome.result])
    }
}
