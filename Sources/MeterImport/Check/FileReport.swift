/// What an offline look at a file found.
public struct FileReport: Sendable, Hashable, Codable {
    /// The file.
    public var path = ""
    /// What kind of file it is taken for.
    public var type = ""
    /// How it is laid out: `matrix`, `interval`, `daily` or `sites`.
    public var layout = ""
    /// The file's size in bytes.
    public var bytes = 0
    /// The rows, without the header and blank lines.
    public var rows = 0
    /// The rows that an import would reject.
    public var rowsRejected = 0
    /// The rows of other quantities, which an import leaves out.
    public var rowsLeftOut = 0
    /// How the file is understood: which column is what, and how its times and values are meant.
    public var understood: [String] = []
    /// The readings that an import would store, or the sites; repeated ones counted each time.
    public var values = 0
    /// The values that are estimates.
    public var estimates = 0
    /// The number of meters; counted to 100,000.
    public var meters = 0
    /// The first few meters, in the order of the file.
    public var firstMeters: [String] = []
    /// The first local day with a reading, such as `2012-01-03`.
    public var firstDate: String?
    /// The last local day with a reading.
    public var lastDate: String?
    /// What the file's owner should know.
    public var warnings: [String] = []
    /// The first problems.
    public var problems: [Problem] = []

    /// A row that an import would reject.
    public struct Problem: Sendable, Hashable, Codable {
        /// The line on which the row begins, from 1.
        public var line: Int
        /// The column with the offending cell; `nil` when it is the row as a whole.
        public var column: String?
        /// What is wrong, in a sentence.
        public var reason: String
    }

    /// Whether every row would be imported, and there is one.
    public var isClean: Bool { rows > 0 && rowsRejected == 0 }

    /// The rows that an import would reject beyond those in ``problems``.
    public var problemsNotShown: Int { rowsRejected - problems.count }
}
