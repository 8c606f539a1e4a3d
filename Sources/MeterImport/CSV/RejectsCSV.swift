import Headroom

/// Writes rejected rows as CSV, ready to be corrected and imported again.
///
/// The columns are those of the file, in its delimiter, and a last one called `reason`, which an import ignores.
public struct RejectsCSV: Sendable, Hashable, Codable {
    /// The file's header as it stands there.
    public var header: String

    /// What stands between the file's fields.
    public var delimiter: UInt8

    /// The number of the file's columns.
    public var columns: Int

    /// Reads what was kept with a job's rejected rows; `nil` when it is not one of these.
    public init?(json: String) {
        // A writer of the table must not have rows filled up without end.
        guard let read = try? JSONText.decode(Self.self, json),
            (0...CSVScanner.longestRecord + 1).contains(read.columns),
            Delimiter.candidates.contains(read.delimiter)
        else { return nil }
        self = read
    }

    init(header: String, delimiter: UInt8, columns: Int) {
        self.header = header
        self.delimiter = delimiter
        self.columns = columns
    }

    /// What is kept with a job's rejected rows.
    var json: String { JSONText.encode(self) }

    /// The header's line, with its end.
    public var headerLine: String {
        line(header, reason: "reason")
    }

    /// Writes a rejected row as a line.
    ///
    /// - Parameters:
    ///   - content: The row as it stands in the file.
    ///   - reason: What is wrong with it.
    /// - Returns: The line, with its end.
    public func line(_ content: String, reason: String) -> String {
        var fields: [String]
        if let parsed = parse(content) {
            fields = parsed
        } else {
            // The quotes make no sense: they are taken for text, and each delimiter for one.
            let bytes = Array(content.utf8)
            fields = bytes.split(separator: delimiter, omittingEmptySubsequences: false)
                .map { quoted(String(decoding: $0, as: UTF8.self)) }
        }
        // A short row is filled up, so that the reason stands in its column.
        while fields.count < columns { fields.append("") }
        fields.append(quoted(reason))
        return fields.joined(separator: String(decoding: [delimiter], as: UTF8.self)) + "\n"
    }

    /// The row's fields as they stand there; `nil` when it is no row.
    private func parse(_ content: String) -> [String]? {
        var scanner = CSVScanner(delimiter: delimiter)
        var rest = Array(content.utf8)[...]
        while true {
            switch scanner.next() {
            case .needsMore:
                scanner.feed { room in
                    let piece = rest.prefix(room.count)
                    room.copyBytes(from: piece)
                    rest = rest.dropFirst(piece.count)
                    return piece.count
                }
            case .record(let record):
                guard record.flaw == nil, record.raw.count == content.utf8.count else { return nil }
                return (0..<record.count).map { quoted(record.fields[$0].text) }
            case .end:
                return nil
            }
        }
    }

    private func quoted(_ text: String) -> String { Escaping.csv(text, delimiter: delimiter) }
}
