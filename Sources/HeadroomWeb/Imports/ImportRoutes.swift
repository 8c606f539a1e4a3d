import CommandSupport
import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import MeterImport

/// The pages of the queue and of its jobs.
struct ImportRoutes: Sendable {
    let dashboard: Dashboard

    /// What can be done about a job.
    enum Deed: String, CaseIterable, Sendable {
        case cancel
        case retry
        case delete
    }

    func add(to router: RouterGroup<WebContext>) {
        router.get("/imports") { request, context in
            let view = JobsView(await dashboard.jobs.picture(), takesFiles: dashboard.options.uploadFolder != nil)
            let html = dashboard.assets.render("imports", view)
            if request.uri.queryParameters.get("part") != nil { return Dashboard.html(html) }
            return dashboard.page("Imports", html, context, section: .imports)
        }
        router.get("/imports/:id") { request, context in
            let job = try await job(context)
            let view = try await JobView(job, queue: dashboard.queue)
            let html = dashboard.assets.render("job", view)
            if request.uri.queryParameters.get("part") != nil { return Dashboard.html(html) }
            return dashboard.page(printable(job.filename), html, context, section: .imports)
        }
        router.get("/imports/:id/rejects.csv") { _, context in
            try await RejectsDownload(dashboard).response(try await job(context))
        }
        for deed in Deed.allCases {
            router.get("/imports/:id/\(deed.rawValue)") { _, context in try await confirm(deed, context) }
            router.post("/imports/:id/\(deed.rawValue)") { request, context in
                let form = try await dashboard.form(request, context)
                let id = try jobID(context)
                try await JobDeed(dashboard).run(deed, id, withReadings: form.readings == "yes", context)
                return Response.redirect(to: deed == .delete ? "/imports" : "/imports/\(id)", type: .normal)
            }
        }
    }

    private func job(_ context: WebContext) async throws -> ImportJob {
        try await dashboard.job(try jobID(context))
    }

    /// What becomes of a job's readings that are deleted with it.
    private static func readings(of job: ImportJob, _ database: Database) async throws -> String {
        guard job.type != ImportType.sites.rawValue, job.counts.imported > 0 else {
            return "Delete the readings that it has stored too; meters stay"
        }
        let count = try await StoredReadings.count(of: job, database)
        return "Delete the \(counted(count.own, "reading")) that it brought too"
            + (count.earlier > 0
                ? "; \(grouped(count.earlier)) that an earlier job brought and meters stay" : "; meters stay")
    }

    private func jobID(_ context: WebContext) throws -> Int {
        guard let id = context.parameters.get("id", as: UInt32.self), id > 0 else {
            throw WebError(.notFound, "There is no such job.", code: "job_unknown")
        }
        return Int(id)
    }

    private func confirm(_ deed: Deed, _ context: WebContext) async throws -> Response {
        let job = try await job(context)
        let name = printable(job.filename)
        var view = ConfirmView(
            title: "",
            what: "",
            action: "/imports/\(job.id)/\(deed.rawValue)",
            button: "",
            back: "/imports/\(job.id)",
            formToken: dashboard.formToken(context)
        )
        switch deed {
        case .cancel:
            view.title = "Cancel the import of \(name)?"
            view.what = "A worker that has it stops with the chunk in hand, which is not stored. What was stored stays."
            view.button = "Cancel the import"
        case .retry:
            view.title = "Import \(name) again?"
            view.what =
                "It goes back into the queue and carries on behind the last row that was stored, or from the "
                + "beginning when its file has changed."
            view.button = "Queue it again"
        case .delete:
            view.title = "Delete the job of \(name)?"
            view.what =
                "The job, its counts and its rejected rows are deleted"
                + (dashboard.isUploaded(job) ? ", and its uploaded file." : ". Its file stays where it is.")
            view.tick = .init(
                name: "readings",
                text: try await Self.readings(of: job, dashboard.queue.database),
                isRequired: false
            )
            view.button = "Delete the job"
        }
        view.facts = ConfirmView.Facts(
            rows: [
                .init(name: "Job", value: "\(job.id), \(job.status.rawValue)"),
                .init(name: "Rows imported", value: grouped(job.counts.imported)),
                .init(name: "Queued", value: job.queuedAt),
            ]
        )
        return dashboard.page(view.title, dashboard.assets.render("confirm", view), context, section: .imports)
    }
}

extension Dashboard {
    /// The job with an id that somebody asked for.
    func job(_ id: Int) async throws -> ImportJob {
        guard let job = try await queue.job(id) else {
            throw WebError(.notFound, "There is no job \(id).", code: "job_unknown")
        }
        return job
    }

    /// Whether a job's file came through this dashboard, so that it goes with the job.
    func isUploaded(_ job: ImportJob) -> Bool {
        options.importFolders.ofUploads.has(job.path)
    }
}
