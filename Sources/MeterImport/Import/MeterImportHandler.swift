public import Headroom
public import HeadroomJobs

/// Imports files of readings and of sites.
public struct MeterImportHandler: JobHandler {
    /// All kinds of file.
    public let types = Set(ImportType.allCases.map(\.rawValue))

    private let helper: Database?

    /// Creates a handler.
    ///
    /// - Parameter helper: Where a second session comes from that stores half of the readings, whenever the budget has room
    ///   for it; `nil`, the default, for one session only.
    public init(helper: Database? = nil) {
        self.helper = helper
    }

    /// Imports a job's file, or what is left of it.
    ///
    /// Each chunk's readings, rejected rows, counts and the place in the file are committed together.
    ///
    /// - Parameters:
    ///   - run: The job, and the way to say how far it is.
    ///   - connection: The connection to store with.
    /// - Returns: What became of it.
    /// - Throws: ``ImportError``, ``DatabaseError``, or `CancellationError` when cancelled.
    public func run(_ run: JobRun, _ connection: Connection) async throws -> JobOutcome {
        var run = try await ImportRun(run, connection)
        return try await run.finish(connection, helper: helper)
    }
}

extension ImportError: PermanentError {}
