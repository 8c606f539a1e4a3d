public import HeadroomJobs

/// The host application's tables for companies, sites, meters and readings.
public enum MeterSchema {
    /// The tables, in the order in which they can be created.
    public static let tables = [companies, sites, meters, meterReadings]

    static let companies = Table(
        "companies",
        columns: [
            ("id", "INT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("name", "VARCHAR(255) NOT NULL"),
            ("is_active", "TINYINT(1) NOT NULL DEFAULT 1"),
        ]
    )

    static let sites = Table(
        "sites",
        columns: [
            ("id", "INT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("company_id", "INT UNSIGNED NOT NULL"),
            ("region_id", "INT UNSIGNED NULL"),
            ("name", "VARCHAR(255) NOT NULL"),
            ("address", "TEXT NULL"),
            ("postcode", "VARCHAR(10) NULL"),
            ("latitude", "DECIMAL(10,8) NULL"),
            ("longitude", "DECIMAL(11,8) NULL"),
            (
                "site_type",
                "ENUM('office','warehouse','retail','industrial','residential','other') NULL DEFAULT 'office'"
            ),
            ("floor_area", "DECIMAL(10,2) NULL"),
            ("is_active", "TINYINT(1) NOT NULL DEFAULT 1"),
        ],
        indexes: [("idx_sites_company", "company_id")],
        foreignKeys: [("fk_sites_company", "company_id", "companies (id)")]
    )

    static let meters = Table(
        "meters",
        columns: [
            ("id", "INT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("site_id", "INT UNSIGNED NOT NULL"),
            ("supplier_id", "INT UNSIGNED NULL"),
            ("mpan", "VARCHAR(21) NOT NULL"),
            ("serial_number", "VARCHAR(50) NULL"),
            ("meter_type", "ENUM('electricity','gas','water','heat') NOT NULL DEFAULT 'electricity'"),
            ("is_smart_meter", "TINYINT(1) NOT NULL DEFAULT 0"),
            ("is_half_hourly", "TINYINT(1) NOT NULL DEFAULT 0"),
            ("installation_date", "DATE NULL"),
            ("removal_date", "DATE NULL"),
            ("is_active", "TINYINT(1) NOT NULL DEFAULT 1"),
            ("created_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"),
            ("updated_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"),
            ("batch_id", "VARCHAR(36) NULL"),
        ],
        unique: [("mpan", "mpan")],
        indexes: [("idx_meters_site", "site_id"), ("idx_meters_batch", "batch_id")],
        foreignKeys: [("fk_meters_site", "site_id", "sites (id) ON DELETE CASCADE")]
    )

    static let meterReadings = Table(
        "meter_readings",
        columns: [
            ("id", "BIGINT UNSIGNED NOT NULL AUTO_INCREMENT"),
            ("meter_id", "INT UNSIGNED NOT NULL"),
            ("reading_date", "DATE NOT NULL"),
            ("reading_time", "TIME NULL"),
            ("period_number", "TINYINT NULL"),
            ("reading_value", "DECIMAL(15,3) NOT NULL"),
            ("reading_type", "ENUM('actual','estimated','manual') NOT NULL DEFAULT 'actual'"),
            ("is_validated", "TINYINT(1) NOT NULL DEFAULT 0"),
            ("import_batch_id", "VARCHAR(50) NULL"),
            ("created_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP"),
            ("updated_at", "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"),
        ],
        unique: [("unique_reading", "meter_id, reading_date, reading_time, period_number")],
        indexes: [
            ("idx_meter_date", "meter_id, reading_date"), ("idx_reading_date", "reading_date"),
            ("idx_import_batch", "import_batch_id"),
        ],
        foreignKeys: [("fk_readings_meter", "meter_id", "meters (id) ON DELETE CASCADE")]
    )
}
