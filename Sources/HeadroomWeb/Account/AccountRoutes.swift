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
        router.get("/events") { _, _ in await events() }
    }

    private func timeline(_ request: Request) async -> String {
        let range = request.uri.queryParameters.get("range").flatMap(Timeline.Range.init) ?? .hour
        let now = Dashboard.now
        return dashboard.assets.render(
            "timeline",
            TimelineView(await dashboard.looker.past(range, now: now), range, now: now)
        )
    }

    private func events() async -> Response {
        let pictures = await dashboard.account.pictures()
        return Response(
            status: .ok,
            // A proxy that gathers what it passes on would hold the pictures back.
            headers: [.contentType: "text/event-stream; charset=utf-8", .accelBuffering: "no"],
            body: ResponseBody { writer in
                try await writer.write(ByteBuffer(string: "retry: 3000\n\n"))
                for await picture in pictures.cancelOnGracefulShutdown() {
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
