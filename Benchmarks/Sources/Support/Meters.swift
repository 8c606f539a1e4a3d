package import Headroom
import HeadroomJobs
import MeterImport

extension Database {
    /// Makes the host's tables, and meters in them with ids from 1 and names that follow each other.
    package func makeMeters(first: Int, count: Int) async throws {
        _ = try await Migration(MeterSchema.tables + JobsSchema.tables).run(on: self)
        let sequence = "seq_0_to_\(count - 1)"
        try await withConnection { connection in
            try await connection.query("INSERT INTO companies (id, name) VALUES (1, 'bench')")
            try await connection.query("INSERT INTO sites (id, company_id, name) VALUES (1, 1, 'bench')")
            try await connection.query(
                "INSERT INTO meters (id, site_id, mpan) SELECT 1 + seq, 1, \(first) + seq FROM \(raw: sequence)"
            )
        }
    }
}
