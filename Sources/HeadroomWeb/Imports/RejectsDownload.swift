import HTTPTypes
import Headroom
import HeadroomJobs
import Hummingbird
import MeterImport

/// A job's rejected rows as a file to correct and import again.
struct RejectsDownload: Sendable {
    private let dashboard: Dashboard

    init(_ dashboard: Dashboard) {
        self.dashboard = dashboard
    }

    private struct IsFull: Error {}

    /// - Throws: ``ImportError`` when the header was not kept, and the job's file is not there any more or may not be read.
    func response(_ job: ImportJob) async throws -> Response {
        let rejects = try await rejects(of: job)
        var text = ByteBuffer(string: rejects.headerLine)
        do {
            try await dashboard.queue.rejectedRows(of: job.id) { _, content, reason in
                // Held in memory, so bounded; a file with more is better read with `headroom jobs rejects`.
                guard text.readableBytes < 64 << 20 else { throw IsFull() }
                text.writeString(rejects.line(content, reason: reason))
            }
        } catch is IsFull {}
        return Response(
            status: .ok,
            headers: [
                .contentType: "text/csv; charset=utf-8; header=present",
                // Our own name, not the user's: nothing of theirs goes into a header.
                .contentDisposition: "attachment; filename=\"rejected-rows-of-job-\(job.id).csv\"",
            ],
            body: ResponseBody(byteBuffer: text)
        )
    }

    /// The header was kept with the rows; the file's own stands in when none was rejected.
    private func rejects(of job: ImportJob) async throws -> RejectsCSV {
        if let kept = try await dashboard.queue.rejectedHeader(of: job.id).flatMap(RejectsCSV.init(json:)) {
            return kept
        }
        return try await FileCheck.open(
            path: job.path,
            in: dashboard.options.importFolders.alone,
            type: ImportType(rawValue: job.type) ?? .hh,
            options: try ImportOptions(metadata: job.metadata)
        )
    }
}
