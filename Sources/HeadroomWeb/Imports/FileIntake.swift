import CommandSupport
import FoundationEssentials
import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import MeterImport

/// Checks a file that was uploaded, and queues it.
struct FileIntake: Sendable {
    private let dashboard: Dashboard

    init(_ dashboard: Dashboard) {
        self.dashboard = dashboard
    }

    /// Why a file is not queued.
    struct Unusable: Error {
        var message: String
        var details: [String]
    }

    /// A file to be written, for which there is room.
    ///
    /// - Parameter request: The request that brings it; nothing of its body is read.
    /// - Returns: The file.
    /// - Throws: ``WebError`` when this dashboard takes none, or not now.
    func newFile(_ request: Request) async throws -> UploadFile {
        guard let uploads = dashboard.uploads else {
            throw WebError(.forbidden, "This dashboard takes no files.", advice: "Start it with --upload-folder.")
        }
        return try await uploads.newFile(declared: request.headers[.contentLength].flatMap { Int($0) })
    }

    /// Checks the whole file as an import would, and queues it.
    ///
    /// - Returns: The job's id.
    /// - Throws: ``Unusable`` when nothing of it could be imported, with which the file is gone, and ``DatabaseError``.
    func queue(_ file: UploadFile, _ form: UploadForm, _ context: WebContext) async throws -> Int {
        let options: ImportOptions
        let report: FileReport
        do {
            options = try form.options(dashboard.layouts)
            try options.validate()
            report = try await FileCheck.run(
                path: file.part,
                in: dashboard.options.importFolders.ofUploads,
                type: form.type,
                options: options,
                problems: 5
            )
        } catch let error as ImportError {
            // Where it lies here is nothing to its user.
            let text = error.description.replaced(file.part, with: form.filename)
            throw Unusable(message: printable(text), details: [])
        }
        guard report.rows == 0 || report.rows > report.rowsRejected else {
            throw Unusable(
                message: "Not one of the file's \(counted(report.rows, "row")) could be imported.",
                details: report.problems.map { "Line \($0.line): \(printable($0.reason))" }
            )
        }
        let job = NewJob(
            filename: form.filename,
            path: file.path,
            type: form.type.rawValue,
            isDryRun: form.isDryRun,
            metadata: options.metadata
        )
        try await file.complete()
        // Before it is queued: the job may be there though its answer was lost. A file that no job names goes with the next.
        await file.keep()
        let id = try await dashboard.queue.add(job)
        dashboard.options.ring()
        await dashboard.jobs.expire()
        dashboard.note("file queued", context, ["web.job": "\(id)"])
        return id
    }
}
