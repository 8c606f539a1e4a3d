import CommandSupport
import FoundationEssentials
import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import MeterImport

/// Taking files: streamed to the disk, checked, then queued.
struct UploadRoutes: Sendable {
    let dashboard: Dashboard

    func add(to router: RouterGroup<WebContext>) {
        router.get("/imports/upload") { _, context in page(UploadForm(), context) }
        router.post("/imports") { request, context in try await take(request, context) }
    }

    private func page(
        _ form: UploadForm,
        _ context: WebContext,
        problem: String? = nil,
        details: [String] = [],
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let view = UploadView(
            form,
            layouts: dashboard.layouts.names,
            problem: problem,
            details: details,
            most: dashboard.options.mostUpload,
            formToken: dashboard.formToken(context)
        )
        return dashboard.page(
            "Upload",
            dashboard.assets.render("upload", view),
            context,
            section: .imports,
            status: status
        )
    }

    private func take(_ request: Request, _ context: WebContext) async throws -> Response {
        var form = UploadForm()
        do {
            let file = try await read(request, context, &form)
            let id = try await FileIntake(dashboard).queue(file, form, context)
            return .redirect(to: "/imports/\(id)", type: .normal)
        } catch let error as FileIntake.Unusable {
            return page(form, context, problem: error.message, details: error.details, status: .unprocessableContent)
        } catch let error as WebError where [413, 503, 507].contains(error.status.code) {
            return page(form, context, problem: error.message, details: [error.advice], status: error.status)
        }
    }

    /// Reads the form; nothing is written before its token was seen to be right.
    private func read(_ request: Request, _ context: WebContext, _ form: inout UploadForm) async throws -> UploadFile {
        // The form's token comes with the body; to make room, files of jobs that are done with may be deleted before that.
        try dashboard.checkSite(request)
        // Room first: a request that says how long it is is refused before it is read.
        let file = try await FileIntake(dashboard).newFile(request)
        var hasBegun = false
        var scanner = try Self.readable { try MultipartScanner(contentType: request.headers[.contentType] ?? "") }
        var isChecked = context.visitor?.session == nil
        if isChecked { try dashboard.checkForm(nil, request, context) }
        for try await buffer in request.body {
            for part in try Self.readable({ try scanner.feed(buffer.readableBytesView) }) {
                switch part {
                case .field("form_token", let token):
                    try dashboard.checkForm(token, request, context)
                    isChecked = true
                case .field(let name, let value):
                    form.take(name, value)
                case .fileBegan("file", let name):
                    guard isChecked else { throw WebError(.forbidden, "The form's token must come before its file.") }
                    guard !hasBegun else { throw WebError(.badRequest, "One file at a time.") }
                    form.filename = UploadForm.shown(name)
                    hasBegun = true
                    try await file.begin()
                case .fileBytes(let bytes):
                    // A file under another name is none of ours.
                    if hasBegun { try await file.write(bytes) }
                case .fileBegan, .fileEnded:
                    break
                }
            }
        }
        guard isChecked else { throw WebError(.forbidden, "The form has no token.") }
        guard scanner.isComplete, hasBegun else { throw WebError(.badRequest, "The form has no file, or broke off.") }
        return file
    }

    private static func readable<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch is MultipartScanner.Flaw {
            throw WebError(.badRequest, "This is no form with a file that could be read.")
        }
    }
}

/// What somebody says about a file.
struct UploadForm: Sendable {
    var filename = "upload.csv"
    var type = ImportType.hh
    var mpan = ""
    var timezone = ""
    var dateOrder = ""
    var layout = ""
    var isDryRun = false

    /// Takes a field; one that is not known is left out.
    mutating func take(_ name: String, _ value: String) {
        switch name {
        case "type": type = ImportType(rawValue: value) ?? type
        case "mpan": mpan = value
        case "timezone": timezone = value
        case "date_order": dateOrder = value
        case "layout": layout = value
        case "dry_run": isDryRun = value == "yes" || value == "true"
        default: break
        }
    }

    /// A file's name as it is shown; it never becomes a path.
    static func shown(_ name: String) -> String {
        let last = name.pieces { $0 == "/" || $0 == "\\" }.last.map(String.init) ?? ""
        let text = printable(String(last.prefix(120)))
        return text.isEmpty ? "upload.csv" : text
    }

    /// The same as a job's options, over those of the layout that was chosen.
    func options(_ layouts: ImportLayouts) throws -> ImportOptions {
        var options = layout.isEmpty ? ImportOptions() : try layouts.read(layout)
        if !mpan.isEmpty { options.mpan = mpan }
        if !timezone.isEmpty { options.timezone = timezone }
        options.dateOrder = DateOrder(rawValue: dateOrder) ?? options.dateOrder
        return options
    }
}

/// The page with the form.
struct UploadView: Sendable {
    struct Choice: Sendable {
        var name: String
        var text: String
        var isChosen: Bool
    }

    var problem: String?
    var details: [String]
    var types: [Choice]
    var dates: [Choice]
    /// The layouts that were saved; none where there are none.
    var layouts: Layouts?

    struct Layouts: Sendable {
        var choices: [Choice]
    }

    var mpan: String
    var timezone: String
    var zone = ImportOptions.defaultZone
    var most: String
    var formToken: String?

    init(
        _ form: UploadForm,
        layouts names: [String],
        problem: String?,
        details: [String],
        most: Int,
        formToken: String?
    ) {
        self.problem = problem
        self.details = details
        self.formToken = formToken
        self.most = "\(most >> 20) MB"
        mpan = form.mpan
        timezone = form.timezone
        layouts =
            names.isEmpty
            ? nil : Layouts(choices: names.map { Choice(name: $0, text: $0, isChosen: $0 == form.layout) })
        dates = [
            ("", "as the file shows, else day first"), ("dmy", "day first"), ("mdy", "month first"),
            ("ymd", "year first, such as 25/11/05"),
        ]
        .map { Choice(name: $0.0, text: $0.1, isChosen: $0.0 == form.dateOrder) }
        types = ImportType.allCases.map { type in
            let text =
                switch type {
                case .hh: "Half-hourly readings, in rows or in columns HH01 to HH48"
                case .daily: "Daily readings"
                case .sites: "Sites"
                }
            return Choice(name: type.rawValue, text: text, isChosen: type == form.type)
        }
    }
}
