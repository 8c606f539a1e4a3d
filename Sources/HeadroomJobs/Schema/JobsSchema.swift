package import Headroom

/// The tables of the queue: the host application's `import_jobs`, and what Headroom keeps beside it.
public enum JobsSchema {
    /// The tables, in the order in which they can be created.
    public static let tables = [importJobs, leases, sightings, checkpoints, rejectedRows, rejectedHeaders]

    /// The names of the tables that the connection's database lacks.
    package static func missingTables(_ connection: Connection) async throws -> [String] {
        let there =
            try await connection.query(
                "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()"
            )
            .decode(String.self)
        return tables.map(\.name).filter { !there.contains($0) }
    }

    /// The host application's queue, which its pages read and write.
    ///
    /// `user_id` refers to the host's `users`, which may not exist here, so it is a plain number.
    static let importJobs = Table(
        "import_jobs",
        columns: [
            ("id", "INT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("batch_id", "VARCHAR(36) NOT NULL"),
            ("user_id", "INT UNSIGNED NULL"),
            ("filename", "VARCHAR(255) NOT NULL"),
            ("file_path", "VARCHAR(500) NOT NULL"),
            ("import_type", "ENUM('hh','daily','sites') NOT NULL"),
            ("status", "ENUM('queued','processing','completed','failed','cancelled') NOT NULL DEFAULT 'queued'"),
            ("dry_run", "TINYINT(1) NOT NULL DEFAULT 0"),
            ("total_rows", "INT UNSIGNED NULL"),
            ("processed_rows", "INT UNSIGNED NOT NULL DEFAULT 0"),
            ("imported_rows", "INT UNSIGNED NOT NULL DEFAULT 0"),
            ("failed_rows", "INT UNSIGNED NOT NULL DEFAULT 0"),
            ("queued_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"),
            ("started_at", "TIMESTAMP NULL DEFAULT NULL"),
            ("completed_at", "TIMESTAMP NULL DEFAULT NULL"),
            ("error_message", "TEXT NULL"),
            ("summary", "JSON NULL"),
            ("retry_count", "INT UNSIGNED NOT NULL DEFAULT 0"),
            ("max_retries", "INT UNSIGNED NOT NULL DEFAULT 3"),
            ("retry_at", "TIMESTAMP NULL DEFAULT NULL"),
            ("last_error", "TEXT NULL"),
            ("notes", "TEXT NULL"),
            ("priority", "ENUM('low','normal','high') NOT NULL DEFAULT 'normal'"),
            ("tags", "JSON NULL"),
            ("metadata", "JSON NULL"),
            ("alert_sent", "TINYINT(1) NOT NULL DEFAULT 0"),
            ("alert_sent_at", "TIMESTAMP NULL DEFAULT NULL"),
        ],
        unique: [("uq_import_jobs_batch", "batch_id")],
        indexes: [("idx_import_jobs_status", "status, queued_at")]
    )

    /// Who works on which job, until when at the latest.
    ///
    /// A job that ends loses its row. `expires_at` is UTC, whatever the zones of hosts and sessions.
    static let leases = Table(
        "headroom_leases",
        columns: [
            ("job_id", "INT UNSIGNED NOT NULL"),
            ("token", "CHAR(32) NOT NULL"),
            ("host", "VARCHAR(100) NOT NULL"),
            ("process_id", "INT UNSIGNED NOT NULL"),
            ("process_start", "BIGINT UNSIGNED NOT NULL"),
            ("hostname", "VARCHAR(255) NOT NULL"),
            ("expires_at", "DATETIME(6) NOT NULL"),
            // How many workers in a row have died over the job without getting anywhere with it.
            ("fruitless", "INT UNSIGNED NOT NULL DEFAULT 0"),
        ],
        primaryKey: "job_id"
    )

    /// What jobs that another program works on looked like, and since when: the host's own worker has no lease.
    static let sightings = Table(
        "headroom_sightings",
        columns: [
            ("job_id", "INT UNSIGNED NOT NULL"),
            ("progress", "VARCHAR(100) NOT NULL"),
            ("since", "DATETIME(6) NOT NULL"),
        ],
        primaryKey: "job_id"
    )

    /// How far the work on a job has come, in its handler's words; written with the work, in the same transactions.
    static let checkpoints = Table(
        "headroom_checkpoints",
        columns: [
            ("job_id", "INT UNSIGNED NOT NULL"),
            // Work in several sessions at once has a checkpoint for each.
            ("lane", "TINYINT UNSIGNED NOT NULL"),
            ("checkpoint", "MEDIUMTEXT NOT NULL"),
        ],
        primaryKey: "job_id, lane"
    )

    /// The rows of a file that were not imported, each with its reason.
    static let rejectedRows = Table(
        "headroom_rejected_rows",
        columns: [
            ("id", "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("job_id", "INT UNSIGNED NOT NULL"),
            ("line", "BIGINT UNSIGNED NOT NULL"),
            ("column_name", "VARCHAR(255) NULL"),
            ("cell", "TEXT NULL"),
            ("reason", "VARCHAR(500) NOT NULL"),
            ("content", "MEDIUMTEXT NOT NULL"),
        ],
        indexes: [("idx_headroom_rejected_job", "job_id, line")]
    )

    /// What the rejected rows need to be a file again, in the handler's words: the file itself may be gone by then.
    static let rejectedHeaders = Table(
        "headroom_rejected_headers",
        columns: [
            ("job_id", "INT UNSIGNED NOT NULL"),
            ("header", "MEDIUMTEXT NOT NULL"),
        ],
        primaryKey: "job_id"
    )
}
