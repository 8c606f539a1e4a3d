import HTTPTypes
import Headroom
import HeadroomWatch
import Hummingbird
import ServiceLifecycle

/// The account's page, and what keeps it live.
struct AccountRoutes: Sendable {
    let dashboard: Dashboard

    func add(to router: RouterGroup<WebContext>) {
        router.get("/") { request, context in
            let fragments = await dashboard.account.picture().fragments
            let state = """
                <div class="state-line" data-events="/events"><p>Connection: <span id="connection">as loaded</span></p>\(fragments.stamp)</div>
                """
            let content =
                state + fragments.account + (await timeline(request)) + fragments.holders
                + fragments.hosts
            return dashboard.page("Account", content, context, section: .account)
        }
        router.get("/timeline") { request, _ in Dashboard.html(await timeline(request)) }
        router.get("/events") { request, context in
            // Only its head is asked for: there would be no end of a stream to wait for.
            request.method == .head ? Response(status: .ok) : try await events(context)
        }
    }

    private func timeline(_ request: Request) async -> String {
        let range = request.uri.queryParameters.get("range").flatMap(Timeline.Range.init) ?? .hour
        let now = Dashboard.now
        return dashboard.assets.render(
            "timeline",
            TimelineView(await dashboard.looker.past(range, now: now), range, now: now)
        )
    }

    private func events(_ context: WebContext) async throws -> Response {
        let session = context.visitor?.session
        let (pictures, end) = await dashboard.account.watch()
        guard let stream = dashboard.streams.add(session: session?.id, end: end) else {
            end()
            throw WebError(
                .serviceUnavailable,
                "Too many pages watch the account.",
                advice: "Close some of them, then load this one again.",
                retryAfter: 30
            )
        }
        // It may have been signed out while this stream was taken in.
        if let session, !dashboard.recognition.isOpen(session) { end() }
        let seconds = session.map { $0.expires - Recognition.now } ?? SessionCookie.life
        let expiry = Task {
            try await Task.sleep(for: .seconds(seconds))
            end()
        }
        let place = LiveStreams.Place { [dashboard] in
            expiry.cancel()
            end()
            dashboard.streams.remove(stream)
        }
        return Response(
            status: .ok,
            // A proxy that gathers what it passes on would hold the pictures back.
            headers: [.contentType: "text/event-stream; charset=utf-8", .accelBuffering: "no"],
            body: ResponseBody { [dashboard] writer in
                defer { place.leave() }
                try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
                for await picture in pictures.cancelOnGracefulShutdown() {
                    // What was on its way when the session ended is not for its eyes any more.
                    if let session, !dashboard.recognition.isOpen(session) { break }
                    let html =
                        picture.fragments.stamp + picture.fragments.account + picture.fragments.holders
                        + picture.fragments.hosts
                    let lines = Escaping.eventData(html)
                    try await writer.write(ByteBuffer(string: "event: picture\n\(lines)\n"))
                }
                try await writer.finish(nil)
            }
        )
    }
}
