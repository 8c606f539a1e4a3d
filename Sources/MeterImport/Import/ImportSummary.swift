/// What an import found, as the job keeps it.
public struct ImportSummary: Codable, Sendable, Hashable {
    /// The rows read, without the header and blank lines.
    public var rowsRead = 0
    /// The rows that were rejected; all others were imported.
    public var rowsRejected = 0
    /// The rows of other quantities, which were left out.
    public var rowsLeftOut = 0
    /// The readings that are new in the database.
    public var readingsStored = 0
    /// The readings that were there already, or came twice in the file; the last one counts, but never an estimate before an
    /// actual reading.
    public var duplicates = 0
    /// The meters that were created.
    public var metersCreated = 0
    /// The least id that a reading can have which the job brought; 0 where that is not known.
    public var firstReading = 0
    /// Whether nothing was to be written.
    public var dryRun = false
    /// What the file's owner should know.
    public var warnings: [String] = []
    /// How the file was understood.
    public var understood: [String] = []
    /// The first few rejections, with their lines.
    public var firstRejections: [String] = []

    /// Creates an empty summary.
    public init() {}

    /// Reads a job's summary; `nil` when it is not one of these.
    public init?(json: String) {
        guard let summary = try? JSONText.decode(Self.self, json, names: .snakeCase) else { return nil }
        self = summary
    }

    /// Reads a summary; what an older one lacks is 0.
    public init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        func number(_ key: CodingKeys) throws -> Int { try values.decodeIfPresent(Int.self, forKey: key) ?? 0 }
        rowsRead = try values.decode(Int.self, forKey: .rowsRead)
        rowsRejected = try number(.rowsRejected)
        rowsLeftOut = try number(.rowsLeftOut)
        readingsStored = try number(.readingsStored)
        duplicates = try number(.duplicates)
        metersCreated = try number(.metersCreated)
        firstReading = try number(.firstReading)
        dryRun = try values.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false
        warnings = try values.decodeIfPresent([String].self, forKey: .warnings) ?? []
        understood = try values.decodeIfPresent([String].self, forKey: .understood) ?? []
        firstRejections = try values.decodeIfPresent([String].self, forKey: .firstRejections) ?? []
    }

    private enum CodingKeys: CodingKey {
        case rowsRead, rowsRejected, rowsLeftOut, readingsStored, duplicates, metersCreated, firstReading, dryRun,
            warnings,
            understood
        case firstRejections
    }

    /// The summary as a job keeps it.
    public var json: String { JSONText.encode(self, names: .snakeCase) }
}
