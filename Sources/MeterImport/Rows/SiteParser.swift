import Headroom

/// Turns the records of a file of sites into sites, or says what is wrong with them.
struct SiteParser {
    private let layout: SiteLayout
    private let names: [String]

    /// Creates a parser for a file.
    ///
    /// - Throws: ``ImportError`` when the columns cannot be used.
    init(_ columns: [ColumnName], options: ImportOptions) throws {
        layout = try SiteLayout(columns)
        names = columns.map(\.original)
    }

    /// Reads a record: appends its site, or returns why there is none.
    func read(_ record: CSVRecord, into sites: inout [Site]) -> RejectedRow? {
        do throws(RowProblem) {
            if let problem = RowProblem.ofForm(record, columns: names.count) { throw problem }
            sites.append(try site(record))
            return nil
        } catch {
            return error.row(record, names: names)
        }
    }

    private func site(_ record: CSVRecord) throws(RowProblem) -> Site {
        guard let name = try text(record, layout.name, longest: 255) else {
            throw RowProblem(layout.name, CellProblem("a site needs a name"))
        }
        var site = Site(name: name)
        site.companyID = try id(record, layout.company)
        site.regionID = try id(record, layout.region)
        site.address = try text(record, layout.address, longest: 10_000)
        site.postcode = try text(record, layout.postcode, longest: 10)
        site.type = try cell(record, layout.type) { text throws(CellProblem) in
            guard let kind = Site.Kind(rawValue: text.text.lowercased()) else {
                let kinds = Site.Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw CellProblem("the kind of site is not known; use one of \(kinds)")
            }
            return kind
        }
        site.floorArea = try number(record, layout.floorArea, decimals: 2, from: 0, to: 99_999_999)
        site.latitude = try number(record, layout.latitude, decimals: 8, from: -90, to: 90)
        site.longitude = try number(record, layout.longitude, decimals: 8, from: -180, to: 180)
        site.isActive = try cell(record, layout.active) { text throws(CellProblem) in try Self.flag(text) }
        return site
    }

    /// Reads a cell; `nil` when there is no such column, or nothing in it.
    private func cell<Value>(
        _ record: CSVRecord,
        _ column: Int?,
        _ read: (Bytes) throws(CellProblem) -> Value
    ) throws(RowProblem) -> Value? {
        guard let column else { return nil }
        let text = record[column]
        guard !text.isEmpty else { return nil }
        do { return try read(text) } catch { throw RowProblem(column, error) }
    }

    private func text(_ record: CSVRecord, _ column: Int?, longest: Int) throws(RowProblem) -> String? {
        try cell(record, column) { text throws(CellProblem) in
            let text = text.text
            guard text.unicodeScalars.count <= longest else {
                throw CellProblem("it is longer than the \(longest) characters that the database holds")
            }
            guard !text.unicodeScalars.contains("\u{FFFD}"), !text.utf8.contains(0) else {
                throw CellProblem("it holds characters that were lost on the way")
            }
            return text
        }
    }

    private func id(_ record: CSVRecord, _ column: Int?) throws(RowProblem) -> Int? {
        try cell(record, column) { text throws(CellProblem) in
            guard let id = text.number(digits: 1...10), id > 0, id <= UInt32.max else {
                throw CellProblem("it is not the number of a row in the database")
            }
            return id
        }
    }

    private func number(
        _ record: CSVRecord,
        _ column: Int?,
        decimals: Int,
        from least: Int,
        to most: Int
    ) throws(RowProblem) -> FixedPoint? {
        try cell(record, column) { text throws(CellProblem) in
            guard let units = DecimalText.units(text, decimals: decimals) else {
                throw CellProblem("it is not a number")
            }
            var scale = 1
            for _ in 0..<decimals { scale *= 10 }
            guard units >= least * scale, units <= most * scale else {
                throw CellProblem("it is not between \(least) and \(most)")
            }
            return FixedPoint(units: units, decimals: decimals)
        }
    }

    private static func flag(_ text: Bytes) throws(CellProblem) -> Bool {
        switch text.text.lowercased() {
        case "1", "true", "yes", "y", "active": return true
        case "0", "false", "no", "n", "inactive": return false
        default: throw CellProblem("it is neither yes nor no; use 1 or 0")
        }
    }
}
