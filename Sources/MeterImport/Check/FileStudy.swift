import Headroom
import HeadroomJobs
import SystemPackage

/// What a file is, when it has been read once from end to end.
struct FileStudy {
    var identity: FileIdentity
    var header: HeaderPlace
    var columns: [ColumnName]
    /// The header as it stands in the file.
    var headerText: String
    /// How readings are meant; `nil` for sites.
    var understanding: FileUnderstanding?

    /// The worker is to stop; nothing has been stored yet.
    struct Stopped: Error {}

    /// Rows of which the layout is found out.
    private static let sampleSize = 100
    /// How many lines may stand above the header.
    private static let mostLinesAbove = 60
    /// How often a file is read for readings that come again: 120,000 of them in each.
    private static let mostPasses = 200
    /// So many rows one after the other that cannot be rows are none.
    private static let mostBroken = 100

    /// Finds the header, and for readings what the names and the first rows say.
    static func head(_ file: OpenFile, path: String, type: ImportType, options: ImportOptions) throws -> (
        FileStudy, FileLayout?
    ) {
        let bytes: [UInt8]
        do {
            bytes = try FileIdentity.head(of: FileDescriptor(rawValue: file.number))
        } catch let error as Errno {
            throw ImportError.unreadable(path, error)
        }
        if let zero = bytes.firstIndex(of: 0) { throw ImportError.notCSV(path, at: zero) }
        var failure: (any Error)?
        var best = -1
        var line = 0
        for candidate in candidates(bytes) {
            let head = Head(bytes, delimiter: candidate)
            let places = try places(head, path, options)
            for place in places {
                let record = head.records[place]
                do {
                    let columns = try columns(record, path)
                    let sample = head.records[(place + 1)...].lazy.filter { $0.flaw == nil && !$0.isBlank }
                        .prefix(sampleSize).map(\.cells)
                    let layout =
                        type == .sites
                        ? nil
                        : try FileLayout(
                            columns,
                            sample: Array(sample),
                            isDaily: type == .daily,
                            options: options,
                            above: AboveHeader(head.records[..<place].map { ($0.line, $0.cells) })
                        )
                    if type == .sites { _ = try SiteLayout(columns) }
                    let header = HeaderPlace(offset: record.offset, line: record.startLine, delimiter: candidate)
                    return (
                        FileStudy(
                            identity: FileIdentity(size: bytes.count, sha256: ""),
                            header: header,
                            columns: columns,
                            headerText: record.text
                        ), layout
                    )
                } catch {
                    // The header is the record that says most; what is wrong with it is what is said.
                    let names =
                        record.flaw != nil || !record.isUTF8
                        ? 999
                        : record.cells.filter { ColumnName($0).isKnown }.count * 1000 + min(record.cells.count, 500)
                    if names > best { (best, failure, line) = (names, error, record.line) }
                }
            }
        }
        if let error = failure as? ImportError, error.code == .wrongColumns, line > 0, options.skippedLines == nil {
            throw ImportError(
                .wrongColumns,
                "\(error.description) Line \(line) was taken for the header; if it is another, say how many stand above it (--skip-lines)."
            )
        }
        throw failure ?? ImportError(.notCSV, "The file \(path) is empty: it has not even a header.")
    }

    /// What may stand between cells: what `sep=` names, or the likeliest first.
    private static func candidates(_ bytes: [UInt8]) -> [UInt8] {
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let line = bytes[start...].prefix { $0 != .newline && $0 != .carriageReturn }
        let text = String(decoding: line, as: UTF8.self).lowercased()
        if text.utf8.count == 5,
            let sign = text.after("sep=")?.utf8.first ?? text.replaced("\"", with: "").after("sep=")?.utf8.first
        {
            return [sign]
        }
        let first = Delimiter.sniff(bytes)
        return [first] + Delimiter.candidates.filter { $0 != first && bytes.contains($0) }
    }

    /// The records that may be the header.
    private static func places(_ head: Head, _ path: String, _ options: ImportOptions) throws -> [Int] {
        if let skipped = options.skippedLines {
            guard let place = head.records.firstIndex(where: { $0.line > skipped && !$0.isBlank }) else {
                throw ImportError(
                    .notCSV,
                    "The file \(path) has nothing behind line \(skipped), which --skip-lines says is above its header."
                )
            }
            return [place]
        }
        var places: [Int] = []
        for (place, record) in head.records.enumerated() where !record.isBlank {
            if record.line > mostLinesAbove { break }
            if places.isEmpty || record.cells.count > 1 { places.append(place) }
        }
        return places
    }

    private static func columns(_ record: Head.Record, _ path: String) throws -> [ColumnName] {
        guard record.flaw == nil else {
            throw ImportError(.notCSV, "The first line of \(path) is no header: it has a broken quote, or is too long.")
        }
        guard record.isUTF8 else {
            throw ImportError(.notCSV, "The first line of \(path) is not UTF-8 text. Export the file as CSV in UTF-8.")
        }
        return record.cells.map { ColumnName($0) }
    }

    /// Reads a whole file, twice where readings come more than once, and decides how it is meant.
    ///
    /// - Throws: ``ImportError`` when the file cannot be understood without doubt, or `CancellationError`.
    init(_ file: OpenFile, path: String, type: ImportType, options: ImportOptions, isStopping: () -> Bool = { false })
        throws
    {
        let layout: FileLayout?
        (self, layout) = try Self.head(file, path: path, type: type, options: options)
        identity = try FileIdentity(file, path: path)
        guard let layout else { return }
        func survey(_ cells: CellRules) throws -> FileSurvey {
            var survey = try FileSurvey(layout, options: options, cells: cells)
            try Self.readAll(file, path, header, isStopping) { survey.note($0) }
            survey.finish()
            return survey
        }
        var understanding = try FileUnderstanding(layout, header, options: options)
        let usual = understanding.cells
        var found = try survey(usual)
        try understanding.decideCells(found.evidence, options)
        if understanding.cells != usual { found = try survey(understanding.cells) }
        try understanding.decide(found.evidence, options)
        var passes = 0
        while !options.lastCounts, !understanding.hasConflicts(found.evidence),
            found.beginPass(flags: understanding.flag)
        {
            passes += 1
            guard passes <= Self.mostPasses else {
                throw ImportError(
                    .contradicted,
                    "\(path) has more readings that come again than can be compared. Import it in parts, or say --repeats last."
                )
            }
            try Self.readAll(file, path, header, isStopping) { found.note($0) }
        }
        try understanding.judge(found.evidence, options: options)
        self.understanding = understanding
    }

    /// Opens a file again that has been understood before.
    init(_ file: OpenFile, path: String, _ identity: FileIdentity, _ understanding: FileUnderstanding) throws {
        var csv = try CSVFile(file, path: path, delimiter: understanding.header.delimiter)
        try csv.jump(to: understanding.header.offset, line: understanding.header.line)
        guard let record = try csv.next() else { throw ImportError.changed(path) }
        let names = (0..<record.count).map { record[$0].text }
        guard understanding.isPossible(columns: names.count) else { throw ImportError.changed(path) }
        self.init(
            identity: identity,
            header: understanding.header,
            columns: names.map { ColumnName($0) },
            headerText: record.text
        )
        self.understanding = understanding
        self.understanding?.layout.names = names
    }

    private init(identity: FileIdentity, header: HeaderPlace, columns: [ColumnName], headerText: String) {
        self.identity = identity
        self.header = header
        self.columns = columns
        self.headerText = headerText
    }

    private static func readAll(
        _ file: OpenFile,
        _ path: String,
        _ header: HeaderPlace,
        _ isStopping: () -> Bool,
        _ note: (CSVRecord) -> Void
    ) throws {
        var csv = try CSVFile(file, path: path, delimiter: header.delimiter)
        try csv.jump(to: header.offset, line: header.line)
        _ = try csv.next()
        var (rows, broken) = (0, 0)
        while let record = try csv.next() {
            rows += 1
            if rows & 0xFFFF == 0 {
                try Task.checkCancellation()
                if isStopping() { throw Stopped() }
            }
            broken = record.flaw != nil || !record.isASCII && !record.isUTF8 ? broken + 1 : 0
            if record.flaw == .tooLong || broken == mostBroken {
                throw ImportError(
                    .notCSV,
                    "\(path) is no CSV file from line \(record.line) on, before byte \(csv.offset): "
                        + (record.flaw == .tooLong
                            ? "a row there is longer than \(CSVScanner.longestRecord / 1024) KiB."
                            : "\(mostBroken) rows there cannot be read.")
                        + " Look at it there, and export the file again."
                )
            }
            note(record)
        }
    }
}

/// The first records of a file, cut by a delimiter.
private struct Head {
    struct Record {
        var offset: Int
        /// The line at the offset, which blank lines may follow, and the record's own.
        var startLine: Int
        var line: Int
        var cells: [String]
        var text: String
        var flaw: CSVRecord.Flaw?
        var isUTF8: Bool
        var isBlank: Bool
    }

    var records: [Record] = []

    init(_ bytes: [UInt8], delimiter: UInt8) {
        var scanner = CSVScanner(delimiter: delimiter)
        var rest = bytes[...]
        var (start, startLine) = (0, 1)
        while records.count < 200 {
            switch scanner.next() {
            case .record(let record):
                records.append(
                    Record(
                        offset: start,
                        startLine: startLine,
                        line: record.line,
                        cells: (0..<record.count).map { record[$0].text },
                        text: record.text,
                        flaw: record.flaw,
                        isUTF8: record.isUTF8,
                        isBlank: record.isBlank
                    )
                )
                (start, startLine) = (scanner.offset, scanner.line)
            case .needsMore:
                scanner.feed { room in
                    let piece = rest.prefix(room.count)
                    room.copyBytes(from: piece)
                    rest = rest.dropFirst(piece.count)
                    return piece.count
                }
            case .end:
                return
            }
        }
    }
}

extension ColumnName {
    /// Whether it is a name that some column goes by.
    fileprivate var isKnown: Bool {
        [
            Catalogue.supplyNumbers, Catalogue.meterCodes, Catalogue.serialNumbers, Catalogue.dates,
            Catalogue.datetimes, Catalogue.times,
            Catalogue.values, Catalogue.consumption, Catalogue.units, Catalogue.flags,
        ]
        .contains { rank($0) != nil } || measure != nil
    }
}
