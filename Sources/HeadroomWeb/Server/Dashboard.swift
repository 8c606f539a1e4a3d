import FoundationEssentials
import HTTPTypes
import Headroom
import HeadroomJobs
import HeadroomWatch
import Hummingbird
import Logging
import MeterImport
import Synchronization

/// What all requests share: the account's sampler, the queue, the pages.
final class Dashboard: Sendable {
    let settings: DatabaseSettings
    let loaded: LoadedSettings
    let options: WebOptions
    let recognition: Recognition
    let assets: Assets
    let looker: AccountLooker
    let account: Sampler<AccountPicture>
    let jobs: Sampler<JobsPicture>
    let queue: JobQueue
    /// The uploads; `nil` when none are taken.
    let uploads: UploadFolder?
    /// The layouts of files that were saved.
    let layouts: ImportLayouts
    let logger: Logger
    let connections: Connections
    let streams = LiveStreams()
    private let signInLimit = Mutex(SignInLimit())

    init(_ loaded: LoadedSettings, _ options: WebOptions, _ recognition: Recognition, logger: Logger) throws {
        settings = loaded.database
        self.loaded = loaded
        self.options = options
        self.recognition = recognition
        self.logger = logger
        connections = Connections(options, logger: logger)
        let assets = try Assets()
        self.assets = assets
        let looker = AccountLooker(loaded, historyFile: options.historyFile)
        self.looker = looker
        let settings = loaded.database
        account = Sampler(interval: options.interval) {
            var (picture, error) = await looker.look()
            picture.fragments = Self.fragments(picture, settings, assets)
            return (picture, error)
        }
        var patient = loaded.database
        // A page is asked for by a person, who would rather hear that there is no place than wait.
        patient.waitTimeout = min(patient.waitTimeout, .seconds(5))
        patient.connectTimeout = min(patient.connectTimeout, .seconds(5))
        let queue = JobQueue(Database(patient))
        self.queue = queue
        uploads = options.uploadFolder.map { UploadFolder($0, options, queue) }
        layouts = ImportLayouts(stateFolder: loaded.database.stateFolder)
        jobs = Sampler(interval: options.interval) { await JobsPicture.taken(queue) }
    }

    /// The live parts of the account's page.
    private static func fragments(
        _ picture: AccountPicture,
        _ settings: DatabaseSettings,
        _ assets: Assets
    ) -> AccountPicture.Fragments {
        AccountPicture.Fragments(
            stamp: assets.render("stamp", StampView(picture)),
            account: assets.render("account", AccountView(picture, settings: settings)),
            holders: assets.render("holders", HoldersView(picture)),
            hosts: assets.render("hosts", HostsView(picture, settings: settings))
        )
    }

    /// A whole page.
    func page(
        _ title: String,
        _ content: String,
        _ context: WebContext,
        section: PageView.Section = .none,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let view = PageView(title, content, context, section, assets.paths, formToken: formToken(context))
        return Self.html(assets.render("page", view), status)
    }

    /// A page with a few words.
    func message(
        _ title: String,
        _ text: String,
        advice: String? = nil,
        back: (path: String, text: String) = ("/", "To the account"),
        isProblem: Bool = false,
        _ context: WebContext,
        status: HTTPResponse.Status = .ok
    ) -> Response {
        let view = MessageView(
            title: title,
            text: text,
            advice: advice,
            back: back.path,
            backText: back.text,
            isProblem: isProblem
        )
        return page(title, assets.render("message", view), context, status: status)
    }

    static func html(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/html; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// What a form on a page for this visitor must carry.
    func formToken(_ context: WebContext) -> String? {
        context.visitor?.session.map(recognition.cookie.formToken)
    }

    /// Makes sure that no page of another site has sent a form.
    func checkSite(_ request: Request) throws {
        guard Recognition.isFromHere(request) else { throw WebError(.forbidden, "Another site has sent this form.") }
    }

    /// Makes sure that a change is wanted by the one whose name it is done in.
    func checkForm(_ token: String?, _ request: Request, _ context: WebContext) throws {
        try checkSite(request)
        guard let visitor = context.visitor else { throw WebError(.unauthorized, "Sign in first, or send the token.") }
        // A program shows its token with each request, which no other site can make a browser do.
        guard let session = visitor.session else { return }
        guard let token, recognition.cookie.isFormToken(token, of: session) else {
            throw WebError(
                .forbidden,
                "This form is not from this session.",
                advice: "Go back, load the page again, and retry."
            )
        }
    }

    /// Takes note of a try to sign in, or with a wrong token.
    ///
    /// - Returns: How many seconds to wait first; `nil` when the try is allowed.
    func takeTry(_ key: String, isOwn: Bool = false, _ context: WebContext) -> Int? {
        let now = Self.now
        let (wait, count) = signInLimit.withLock { limit in
            let wait = limit.take(key, isOwn: isOwn, at: now)
            return (wait, wait == nil ? nil : limit.countPassedOver(at: now))
        }
        if let count { note("too many tries to sign in", context, ["web.count": "\(count)"]) }
        return wait
    }

    /// Counts a try that was in vain, and puts it into the log: from where, never with what.
    func noteRefused(_ deed: String, _ context: WebContext, _ facts: [String: String] = [:]) {
        signInLimit.withLock { $0.countRefused() }
        note(deed, context, facts)
    }

    /// Forgets the tries of somebody who has signed in.
    func forgiveTries(_ key: String) { signInLimit.withLock { $0.forgive(key) } }

    /// The tries to sign in that were refused.
    var refusedTries: Int { signInLimit.withLock(\.refused) }

    /// Ends a session before its time, and the streams of all its tabs.
    func end(_ session: SessionCookie.Session) {
        recognition.end(session)
        streams.end(session: session.id)
    }

    /// Notes what somebody did.
    func note(_ deed: String, _ context: WebContext, _ facts: [String: String] = [:]) {
        var metadata = facts.mapValues { Logger.MetadataValue.string($0) }
        metadata["web.user"] = "\(context.visitor?.name ?? "-")"
        metadata["web.address"] = "\(context.address)"
        logger.notice("\(deed)", metadata: metadata)
    }

    /// The time now, in seconds since 1970.
    static var now: Double { Date.now.timeIntervalSince1970 }
}
