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

    /// - Throws: ``ImportError`` when the job's file, whose header it needs, is not there any more.
    func response(_ job: ImportJob) async throws -> Response {
        let rejects = try await FileCheck.open(
            path: job.path,
            type: ImportType(rawValue: job.type) ?? .hh,
            options: try ImportOptions(metadata: job.metadata)
        )
        var text = ByteBuffer(string: rejects.headerLine)
        var count = 0
        try await dashboard.queue.rejectedRows(of: job.id) { _, content, reason in
            // Held in memory, so bounded; a file with more is better read with `headroom jobs rejects`.
            guard text.readableBytes < 64 << 20 else { return }
            count += 1
            text.writeString(rejects.line(content, reason: reason))
        }
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
}
