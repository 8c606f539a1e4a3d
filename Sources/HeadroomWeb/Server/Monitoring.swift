import HTTPTypes
import Headroom
import HeadroomJobs
import HeadroomWatch
import Hummingbird
import Reporting

/// What machines ask: whether the process lives, whether the database can be used, and the numbers.
struct Monitoring: Sendable {
    let dashboard: Dashboard

    /// How long the database may take until it counts as not ready.
    static let deadline = Duration.seconds(2)

    func add(to router: Router<WebContext>) {
        router.get("/healthz") { _, _ in Self.text("ok\n") }
        router.get("/readyz") { _, _ in
            guard let picture = await dashboard.account.picture(within: Self.deadline) else {
                return Self.text("the database does not answer\n", .serviceUnavailable)
            }
            guard picture.view.report.refusal == nil else {
                return Self.text("the database lets nobody in\n", .serviceUnavailable)
            }
            return Self.text("ready\n")
        }
        router.get("/metrics") { request, context in
            guard context.visitor != nil || context.mayScrape || isFromThisHost(request) else {
                throw WebError(.unauthorized, "The metrics are for who sends the token.")
            }
            let wantsOpenMetrics = request.headers[values: .accept]
                .contains { $0.holds("application/openmetrics-text") }
            let format: MetricsPage.Format = wantsOpenMetrics ? .openMetrics : .prometheus
            let picture = await dashboard.account.picture(within: Self.deadline)
            var page = Self.page(picture, viewers: await dashboard.account.viewerCount)
            page.gauge("headroom_web_connections", "Connections to the dashboard.", Double(dashboard.connections.count))
            page.counter(
                "headroom_web_sign_ins_refused_total",
                "Wrong tokens and passwords since this program's start."
            )
            page.sample("headroom_web_sign_ins_refused_total", Double(dashboard.refusedTries))
            return Response(
                status: .ok,
                headers: [.contentType: format.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: page.lines(format).joined(separator: "\n") + "\n"))
            )
        }
    }

    /// The fields that scrapers, curl and the like send themselves; what proxies add has more names than anybody could list.
    private static let plainFields: Set<String> = [
        "accept", "accept-encoding", "connection", "user-agent", "x-prometheus-scrape-timeout-seconds",
    ]

    /// Whether a program of this host asks, by itself: who comes through a proxy or a tunnel of one comes from this host too.
    private func isFromThisHost(_ request: Request) -> Bool {
        guard case .tcp = dashboard.options.place, dashboard.options.place.isLoopback, !dashboard.options.isBehindProxy
        else { return false }
        // nginx asks with "close", if it is told nothing else.
        return request.headers.allSatisfy { Self.plainFields.contains($0.name.canonicalName) }
            && request.headers[.connection]?.lowercased() != "close"
    }

    /// The numbers of a picture; without one, only that there is none.
    static func page(_ picture: AccountPicture?, viewers: Int) -> MetricsPage {
        guard let picture else {
            var page = MetricsPage()
            page.gauge("headroom_up", "Whether the account could be looked at.", 0)
            return page
        }
        var page = AccountMetrics.page(picture.view)
        if let lastSeen = picture.lastSeen {
            page.gauge(
                "headroom_last_success_timestamp_seconds",
                "When the account could last be looked at.",
                lastSeen.at.rounded()
            )
        }
        page.counter("headroom_connect_refused_total", "How often a look was refused since this program's start.")
        for (why, count) in picture.refusals.sorted(by: {
            ($0.key.code, $0.key.resource) < ($1.key.code, $1.key.resource)
        }) {
            page.sample(
                "headroom_connect_refused_total",
                Double(count),
                ["code": "\(why.code)", "resource": why.resource]
            )
        }
        if let minutes = picture.minutesUntilFull {
            page.gauge(
                "headroom_account_full_in_seconds",
                "When the account is full if it goes on filling like this.",
                minutes * 60
            )
        }
        if let numbers = picture.queue?.numbers {
            page.head(
                "headroom_jobs",
                "Import jobs, by what has become of them; those that ended, in the last 24 hours."
            )
            for (state, count) in [
                ("queued", numbers.queued), ("processing", numbers.processing), ("completed", numbers.completed),
                ("failed", numbers.failed),
            ] {
                page.sample("headroom_jobs", Double(count), ["state": state])
            }
            page.gauge(
                "headroom_job_oldest_queued_age_seconds",
                "For how long the oldest job that may run has waited.",
                Double(numbers.oldestWait.components.seconds)
            )
            page.gauge("headroom_jobs_stuck", "Jobs without progress for over an hour.", Double(numbers.stuck.count))
        }
        page.gauge("headroom_web_viewers", "Browsers that watch the account live.", Double(viewers))
        return page
    }

    private static func text(_ text: String, _ status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "text/plain; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
