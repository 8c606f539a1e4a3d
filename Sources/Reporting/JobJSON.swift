import CommandSupport
package import HeadroomJobs
import MeterImport

/// A job as JSON.
package struct JobJSON: Encodable {
    var id: Int
    var status: String
    var type: String
    var filename: String
    var path: String
    var batchId: String
    var dryRun: Bool
    var priority: String
    @Nullable var totalRows: Int?
    var processedRows: Int
    var importedRows: Int
    var failedRows: Int
    var queuedAt: String
    @Nullable var startedAt: String?
    @Nullable var completedAt: String?
    @Nullable var errorMessage: String?
    @Nullable var summary: ImportSummary?

    package init(_ job: ImportJob) {
        id = job.id
        status = job.status.rawValue
        type = job.type
        filename = job.filename
        path = job.path
        batchId = job.batchID
        dryRun = job.isDryRun
        priority = job.priority.rawValue
        totalRows = job.totalRows
        processedRows = job.counts.processed
        importedRows = job.counts.imported
        failedRows = job.counts.failed
        queuedAt = job.queuedAt
        startedAt = job.startedAt
        completedAt = job.completedAt
        errorMessage = job.errorMessage
        summary = job.summary.flatMap(ImportSummary.init(json:))
    }
}
