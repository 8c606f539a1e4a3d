import CommandSupport
import HTTPTypes
import Headroom
import HeadroomWatch
import Hummingbird
import Reporting

/// Ending a session and hanging up a connection: first a page that names what will happen, then the deed.
struct ActionRoutes: Sendable {
    let dashboard: Dashboard

    /// What the forms of these pages, and of jobs, carry.
    struct Form: Decodable {
        var token: String?
        var transaction: String?
        var readings: String?

        private enum CodingKeys: String, CodingKey {
            case token = "form_token"
            case transaction
            case readings
        }
    }

    func add(to router: RouterGroup<WebContext>) {
        router.get("/sessions/:id/end") { _, context in try await confirmEnd(context) }
        router.post("/sessions/:id/end") { request, context in
            let form = try await dashboard.form(request, context)
            let outcome = try await SessionEnd(dashboard)
                .run(
                    try context.parameters.require("id", as: UInt64.self),
                    includingTransaction: form.transaction == "yes",
                    context
                )
            return dashboard.message(
                outcome.isDone ? "Ended" : "Not ended",
                outcome.text,
                isProblem: !outcome.isDone,
                context,
                status: outcome.isDone ? .ok : .conflict
            )
        }
        router.get("/holders/:pid/hang-up") { _, context in try await confirmHangUp(context) }
        router.post("/holders/:pid/hang-up") { request, context in try await hangUp(request, context) }
    }

    private func confirmEnd(_ context: WebContext) async throws -> Response {
        let id = try context.parameters.require("id", as: UInt64.self)
        let picture = await dashboard.account.picture()
        guard let session = picture.view.report.sessions.first(where: { $0.id == id && $0.isOfAccount && !$0.isOwn })
        else {
            return dashboard.message("Gone", "Session \(id) is not there any more.", context, status: .notFound)
        }
        guard session.isSleeping else {
            return dashboard.message(
                "At work",
                "Session \(id) runs a statement (\(printable(session.command))). Only sessions that wait for their client are ended here.",
                context,
                status: .conflict
            )
        }
        var view = ConfirmView(
            title: "End session \(id)?",
            what: "The server ends this session if it still waits for its client at that moment. Its program finds the "
                + "connection lost at its next statement. One place of the account comes free.",
            action: "/sessions/\(id)/end",
            button: "End session \(id)",
            back: "/",
            formToken: dashboard.formToken(context)
        )
        view.facts = ConfirmView.Facts(
            rows: [
                .init(name: "Program", value: printable(session.program ?? "not known")),
                .init(name: "Process", value: session.processID.map { "\($0)" } ?? "not known"),
                .init(name: "From", value: printable(session.host)),
                .init(name: "Database", value: printable(session.database ?? "none")),
                .init(name: "Idle for", value: ClockText.length(session.duration)),
                .init(
                    name: "In a transaction",
                    value: session.inTransaction.map { $0 ? "yes" : "no" } ?? "not known"
                ),
            ]
        )
        if session.inTransaction != false {
            view.warning =
                session.inTransaction == true
                ? "It is in a transaction: what it has not committed is lost."
                : "Whether it is in a transaction is not known: if it is, what it has not committed is lost."
            view.tick = .init(name: "transaction", text: "End it all the same", isRequired: true)
        }
        return dashboard.page(view.title, dashboard.assets.render("confirm", view), context, section: .account)
    }

    private func process(_ context: WebContext) async throws -> HostProcess? {
        let id = try context.parameters.require("pid", as: Int32.self)
        let picture = await dashboard.account.picture()
        return picture.rescue?.host.processes.first { $0.id == id && !$0.isOurs }
    }

    private func confirmHangUp(_ context: WebContext) async throws -> Response {
        guard let process = try await process(context) else {
            return dashboard.message(
                "Not needed",
                "The account lets us in, or that process holds no connection any more.",
                context,
                status: .notFound
            )
        }
        var view = ConfirmView(
            title: "Hang up process \(process.id)?",
            what: "The kernel closes the connections of this process to the database, as if the network had failed. "
                + "The process itself goes on.",
            action: "/holders/\(process.id)/hang-up",
            button: "Hang up",
            back: "/",
            formToken: dashboard.formToken(context)
        )
        view.facts = ConfirmView.Facts(
            rows: [
                .init(name: "Command", value: printable(process.commandLine)),
                .init(name: "User", value: printable(process.userName ?? "\(process.user)")),
                .init(name: "Connections", value: "\(process.sockets.count)"),
                .init(name: "Silent for", value: process.silences.first.map(ClockText.length) ?? "not known"),
            ]
        )
        view.warning =
            "Whether one of them is in a transaction cannot be seen from outside: what it has not committed is lost."
        view.tick = .init(name: "transaction", text: "Hang up all the same", isRequired: true)
        return dashboard.page(view.title, dashboard.assets.render("confirm", view), context, section: .account)
    }

    private func hangUp(_ request: Request, _ context: WebContext) async throws -> Response {
        let form = try await dashboard.form(request, context)
        guard form.transaction == "yes" else { throw WebError(.badRequest, "The box was not ticked.") }
        guard let process = try await process(context) else {
            throw WebError(.notFound, "That process holds no connection any more.")
        }
        var orders = RescueOptions()
        orders.hangUp = .process(process.id, descriptor: nil)
        orders.isDryRun = false
        let report = try await Rescue(dashboard.loaded).run(orders)
        await dashboard.account.expire()
        let done = report.hangUps.count { [.freed, .hungUp, .inVain].contains($0.result) }
        dashboard.note("connections hung up", context, ["web.process": "\(process.id)", "web.count": "\(done)"])
        let text = report.hangUps.map { "Descriptor \($0.candidate.socket.descriptor): \($0.result.words)." }
            .joined(separator: " ")
        return dashboard.message(
            done > 0 ? "Hung up" : "Not hung up",
            text.isEmpty ? "There was nothing that may be hung up." : text,
            isProblem: done == 0,
            context,
            status: done > 0 ? .ok : .conflict
        )
    }
}

extension Dashboard {
    /// Reads a form and makes sure that it is ours.
    func form(_ request: Request, _ context: WebContext) async throws -> ActionRoutes.Form {
        guard
            let form = try? await URLEncodedFormDecoder()
                .decode(ActionRoutes.Form.self, from: request, context: context)
        else { throw WebError(.badRequest, "The form cannot be read.") }
        try checkForm(form.token, request, context)
        return form
    }
}
