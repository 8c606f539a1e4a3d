/// How far an import has come: committed with the readings themselves, and where the next worker carries on.
struct ImportCheckpoint: Codable, Hashable, Sendable {
    /// The job's batch: where the host empties its queue, a later job has an earlier one's id.
    var batch: String

    /// The file that was read.
    var file: FileIdentity

    /// Behind the last row that was committed.
    var position: FilePosition

    /// What was found up to there, but for what a second session has stored.
    var summary: ImportSummary

    /// Where the last chunk began, when a second session stores a part of each: it may not have come so far.
    var before: FilePosition?

    /// Creates a checkpoint.
    init(batch: String, file: FileIdentity, position: FilePosition, summary: ImportSummary, before: FilePosition? = nil)
    {
        self.batch = batch
        self.file = file
        self.position = position
        self.summary = summary
        self.before = before
    }

    /// Reads a checkpoint; `nil` when it is not one of these: the import then begins anew, and nothing is stored twice.
    init?(json: String) {
        guard let read = try? JSONText.decode(Self.self, json) else { return nil }
        self = read
    }

    /// The checkpoint as the database keeps it.
    var json: String { JSONText.encode(self) }
}
