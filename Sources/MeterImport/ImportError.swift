import SystemPackage

/// Describes why a file cannot be imported at all; what is wrong with single rows is kept with those rows.
public struct ImportError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public var code: Code

    /// What happened, why, and what to do next.
    public var description: String

    /// A kind of failure; kinds may be added.
    public struct Code: Hashable, Sendable {
        private var name: String

        /// The file is missing or may not be read.
        public static let unreadable = Code(name: "unreadable")
        /// The file is no CSV file.
        public static let notCSV = Code(name: "notCSV")
        /// The file lacks columns that its kind needs.
        public static let wrongColumns = Code(name: "wrongColumns")
        /// The file shows more than one answer to how it is meant; an option of the job says which.
        public static let doubtful = Code(name: "doubtful")
        /// The file shows that it is meant otherwise than it would be read.
        public static let contradicted = Code(name: "contradicted")
        /// The file is another one than when its import began.
        public static let changed = Code(name: "changed")
        /// The tables that are there would change or lose what is stored in them.
        public static let wrongTables = Code(name: "wrongTables")
        /// The job says something that cannot be used, such as an unknown time zone.
        public static let badOptions = Code(name: "badOptions")
    }

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }

    static func unreadable(_ path: String, _ error: Errno) -> ImportError {
        let next =
            switch error {
            case .noSuchFileOrDirectory: "Check the path."
            case .permissionDenied: "Check who may read it, and the folders above it."
            case .isDirectory: "Name a file in it."
            default: "Check the file."
            }
        return ImportError(.unreadable, "The file \(path) cannot be read: \(error). \(next)")
    }

    static func notCSV(_ path: String, at place: Int) -> ImportError {
        ImportError(
            .notCSV,
            "\(path) is not a CSV file: behind byte \(place) it holds a byte that no text has. Export it as CSV in UTF-8."
        )
    }

    static func notAFile(_ path: String) -> ImportError {
        ImportError(.unreadable, "\(path) is not an ordinary file, so it cannot be read twice. Save it as one.")
    }

    static func becameShorter(_ path: String) -> ImportError {
        ImportError(
            .changed,
            "\(path) became shorter while it was read. Wait until it is written in full, and queue it again."
        )
    }

    static func changedMeanwhile(_ path: String) -> ImportError {
        ImportError(
            .changed,
            "\(path) has changed while it was read. Wait until it is written in full, and queue it again."
        )
    }

    static func changed(_ path: String) -> ImportError {
        ImportError(
            .changed,
            "\(path) is not the file of which a part was imported: its contents differ. Queue it again."
        )
    }
}
