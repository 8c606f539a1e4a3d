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
        guard let read = try? JSONText.decode(Self.self, json), read.isPossible else { return nil }
        self = read
    }

    /// Whether its numbers can be an import's: whoever writes to the table must not make what is reckoned with them overflow.
    private var isPossible: Bool {
        let positions = [position] + [before].compactMap(\.self)
        let numbers =
            positions.flatMap { [$0.offset, $0.line, $0.rows, $0.rejected, $0.values] }
            + [
                summary.rowsRead, summary.rowsRejected, summary.rowsLeftOut, summary.readingsStored, summary.duplicates,
                summary.metersCreated, summary.firstReading,
            ]
        return numbers.allSatisfy { (0...Self.most).contains($0) }
    }

    /// More than any file has bytes; far from where sums overflow.
    static let most = 1 << 56

    /// The checkpoint as the database keeps it.
    var json: String { JSONText.encode(self) }
}

extension FileUnderstanding {
    /// The lane of a job's checkpoints where it is kept, once; the sessions' are 0 and 1.
    static let lane = 2

    /// Reads what was understood; `nil` when it is not that.
    init?(json: String) {
        guard let read = try? JSONText.decode(Self.self, json), read.isPossible(columns: CSVScanner.longestRecord)
        else {
            return nil
        }
        self = read
    }

    /// What was understood as the database keeps it.
    var json: String { JSONText.encode(self) }
}
