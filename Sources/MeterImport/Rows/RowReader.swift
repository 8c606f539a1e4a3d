import HeadroomJobs

/// Reads a file chunk by chunk, in constant memory, from its beginning or from a position.
///
/// It blocks while it reads: ``ReadingFile`` keeps it on a thread of its own.
final class RowReader {
    /// What is known of the file.
    let study: FileStudy

    /// Where the next chunk begins.
    private(set) var position = FilePosition()

    private let path: String
    private let opened: OpenFile
    private let chunkSize: Int
    private var file: CSVFile
    private var rows: Rows

    private enum Rows {
        case readings(ReadingParser)
        case sites(SiteParser)
        /// The parser is in use: it is moved, not copied.
        case inUse
    }

    /// A chunk ends with the row that brings it to this many readings or rows.
    static let chunkSize = 5000

    /// A chunk has no more rows than this for the parts of half-hours that are begun.
    private static let mostWithParts = 100_000

    /// A chunk ends also with the row that brings its rejected rows to this many bytes.
    private static let mostRejectedBytes = 256 * 1024

    /// Opens a file, and finds out how it is meant where that is not known yet.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - opened: The file, where it is open already.
    ///   - type: What kind of file it is.
    ///   - options: What the job says about it.
    ///   - start: Where to go on; the file's beginning by default.
    ///   - identity: The file that the position is of; not looked at when `nil`.
    ///   - understanding: How the file was understood when its import began; `nil` where that is to be found out.
    ///   - chunkSize: The readings or rows of a chunk, about.
    ///   - longestRead: The most bytes to read at once; small in tests.
    ///   - isStopping: Whether to give up while that is found out.
    /// - Throws: ``ImportError`` when the file, its columns or the options cannot be used, it is another file, or what it shows
    ///   leaves a doubt of how it is meant.
    init(
        path: String,
        opened: OpenFile? = nil,
        type: ImportType,
        options: ImportOptions,
        from start: FilePosition? = nil,
        of identity: FileIdentity? = nil,
        understood understanding: FileUnderstanding? = nil,
        chunkSize: Int = RowReader.chunkSize,
        longestRead: Int = .max,
        isStopping: () -> Bool = { false }
    ) throws {
        let opened = try opened ?? CSVFile.open(path, in: nil)
        self.path = path
        self.opened = opened
        if let identity, identity != (try FileIdentity(opened, path: path)) { throw ImportError.changed(path) }
        if let identity, let understanding {
            study = try FileStudy(opened, path: path, identity, understanding)
        } else {
            study = try FileStudy(opened, path: path, type: type, options: options, isStopping: isStopping)
        }
        file = try CSVFile(opened, path: path, delimiter: study.header.delimiter, longestRead: longestRead)
        try file.jump(to: study.header.offset, line: study.header.line)
        _ = try file.next()
        self.chunkSize = chunkSize
        rows =
            if let understanding = study.understanding {
                .readings(try ReadingParser(understanding, names: study.columns.map(\.original)))
            } else {
                .sites(try SiteParser(study.columns, options: options))
            }
        position.offset = file.offset
        position.line = file.line
        if let start, start.offset > 0 { try resume(from: start, path: path) }
    }

    /// The file's size in bytes when it was opened.
    var size: Int { file.size }

    /// The file as it can be known again.
    var identity: FileIdentity { study.identity }

    /// How the readings are laid out; `nil` for sites.
    var shape: FileLayout.Shape? { study.understanding?.layout.shape }

    /// Writes rejected rows of this file.
    var rejects: RejectsCSV {
        RejectsCSV(header: study.headerText, delimiter: file.delimiter, columns: study.columns.count)
    }

    /// Reads the next chunk; `nil` at the end of the file.
    ///
    /// - Throws: ``ImportError`` when the file cannot be read on.
    func next() throws -> Chunk? {
        var chunk = Chunk()
        switch rows {
        case .readings(var parser):
            rows = .inUse
            defer { rows = .readings(parser) }
            parser.begin()
            try read(&parser, into: &chunk)
        case .sites(let parser):
            try read(parser, into: &chunk)
        case .inUse:
            return nil
        }
        guard chunk.rows > 0 else {
            // What has been read is the file that was understood, or nothing of it can be relied on.
            guard try FileIdentity(opened, path: path) == identity else { throw ImportError.changedMeanwhile(path) }
            return nil
        }
        position.offset = file.offset
        position.line = file.line
        position.rows += chunk.rows
        position.rejected += chunk.rejected.count
        position.values += chunk.readings.count + chunk.sites.count
        chunk.position = position
        return chunk
    }

    private func read(_ parser: inout ReadingParser, into chunk: inout Chunk) throws {
        chunk.readings.reserveCapacity(chunkSize + 50)
        var known = 0
        var rejectedBytes = 0
        // A chunk does not end between the parts of a half-hour.
        while chunk.readings.count < chunkSize && chunk.rows < chunkSize && rejectedBytes < Self.mostRejectedBytes
            || parser.hasParts && chunk.rows < Self.mostWithParts,
            let record = try file.next()
        {
            if record.isBlank { continue }
            chunk.rows += 1
            switch parser.read(record, into: &chunk.readings, &chunk.rejected) {
            case .taken: break
            case .leftOut: chunk.leftOut += 1
            case .rejected(let rejected):
                rejectedBytes += rejected.content.utf8.count
                chunk.rejected.append(rejected)
            }
            while known < parser.meters.codes.count {
                let code = parser.meters.codes[known]
                if MeterCode.hasWrongCheckDigit(code) { position.noteDoubtful(code) }
                known += 1
            }
        }
        parser.endParts(&chunk.rejected)
        chunk.meters = parser.meters.codes
        chunk.fuels = parser.fuels
        position.repeatedHoursState = parser.repeated.state
    }

    private func read(_ parser: SiteParser, into chunk: inout Chunk) throws {
        var rejectedBytes = 0
        while chunk.rows < chunkSize, rejectedBytes < Self.mostRejectedBytes, let record = try file.next() {
            if record.isBlank { continue }
            chunk.rows += 1
            if let rejected = parser.read(record, into: &chunk.sites) {
                rejectedBytes += rejected.content.utf8.count
                chunk.rejected.append(rejected)
            }
        }
    }

    private func resume(from start: FilePosition, path: String) throws {
        guard start.offset >= position.offset, start.offset <= file.size else { throw ImportError.changed(path) }
        guard let seen = start.repeatedHoursState else {
            // Too much to carry has been seen: it is seen again. Chunks end where rows do, so the last is cut short.
            while position.offset < start.offset {
                try Task.checkCancellation()
                guard try skipChunk(to: start.offset) else { throw ImportError.changed(path) }
            }
            guard position.offset == start.offset else { throw ImportError.changed(path) }
            position = start
            return
        }
        try file.jump(to: start.offset, line: start.line)
        if case .readings(var parser) = rows {
            parser.repeated = RepeatedHours(seen)
            rows = .readings(parser)
        }
        position = start
    }

    /// Reads rows again, for what they leave behind in the parser; returns whether there were any.
    private func skipChunk(to end: Int) throws -> Bool {
        guard case .readings(var parser) = rows else { return false }
        rows = .inUse
        defer { rows = .readings(parser) }
        var readings: [Reading] = []
        var rejected: [RejectedRow] = []
        var count = 0
        while count < chunkSize, file.offset < end, let record = try file.next() {
            count += 1
            if record.isBlank { continue }
            _ = parser.read(record, into: &readings, &rejected)
        }
        parser.begin()
        position.offset = file.offset
        return count > 0
    }
}
