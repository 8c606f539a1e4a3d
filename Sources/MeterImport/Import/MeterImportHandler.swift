public import Headroom
public import HeadroomJobs

/// Imports files of readings and of sites.
public struct MeterImportHandler: JobHandler {
    /// All kinds of file.
    public let types = Set(ImportType.allCases.map(\.rawValue))

    private let helper: Database?
    private let folders: ImportFolders
    private let namedPath: String?

    /// Creates a handler.
    ///
    /// - Parameters:
    ///   - helper: Where a second session comes from that stores half of the readings, whenever the budget has room for it;
    ///     `nil`, the default, for one session only.
    ///   - folders: Where the files must lie that jobs name; by default as where no folders are named.
    ///   - namedPath: The one file that may lie anywhere, as the user of this program has named it; `nil` for none.
    public init(helper: Database? = nil, folders: ImportFolders = ImportFolders(), namedPath: String? = nil) {
        self.helper = helper
        self.folders = folders
        self.namedPath = namedPath
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
        do {
            var run = try await ImportRun(run, in: isNamed(run.job.path) ? nil : folders, connection)
            return try await run.finish(connection, helper: helper)
        } catch is FileStudy.Stopped {
            return .givenBack
        }
    }

    /// By bytes: two names that look the same are two files.
    func isNamed(_ path: String) -> Bool { namedPath.map { $0.utf8.elementsEqual(path.utf8) } ?? false }
}

extension ImportError: PermanentError {}
