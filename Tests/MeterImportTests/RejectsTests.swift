import Headroom
import TestSupport
import Testing

@testable import MeterImport

/// A file of rejected rows can be opened in a spreadsheet, corrected and imported, and its cells are what they were.
@Suite struct RejectsTests {
    private let folder = TemporaryFolder()

    @Test func `cells that a spreadsheet would run are marked, and read as they were`() throws {
        let names = [
            "=1+1", "@SUM(A1)", "+cmd|x", "-2+3", "'=x", "a\u{600}\",\u{301}b", "=\u{301}\"q\"", "-1.5", "plain",
            "x\u{301};y",
        ]
        let header = "name,address,lat,lng"
        let rows = names.map { Escaping.csv($0).replaced("'", with: "") + ",@home,999,0" }.joined(separator: "\n")
        let first = try #require(
            try RowReader(
                path: folder.write("\(header)\n\(rows)\n", to: "a.csv"),
                type: .sites,
                options: ImportOptions()
            )
            .next()
        )
        #expect(first.rejected.count == names.count && first.sites.isEmpty)
        let reader = try RowReader(path: "\(folder.path)/a.csv", type: .sites, options: ImportOptions())
        let back =
            reader.rejects.headerLine
            + first.rejected.map { reader.rejects.line($0.content, reason: $0.reason) }.joined()
        for line in back.pieces(separator: "\n") {
            for cell in line.pieces(separator: ",") { #expect(!Escaping.isFormula(cell.utf8), "\(cell)") }
        }
        let corrected = folder.write(back.replaced(",999,", with: ",51.5,"), to: "b.csv")
        let second = try #require(try RowReader(path: corrected, type: .sites, options: ImportOptions()).next())
        #expect(second.rejected.map(\.reason) == [])
        let expected = names.map { $0.replaced("'", with: "") }
        for (site, name) in zip(second.sites, expected) {
            #expect(site.name.utf8.elementsEqual(name.utf8), "\(Array(site.name.utf8))")
            #expect(site.address == "@home")
        }
        #expect(second.sites.count == names.count)
    }

    @Test func `a row of more columns than a file can have is not filled up`() {
        let json = #"{"columns":9999999999999999,"delimiter":44,"header":"a,b"}"#
        #expect(RejectsCSV(json: json) == nil)
        #expect(RejectsCSV(json: json.replaced("9999999999999999", with: "-1")) == nil)
        #expect(RejectsCSV(json: json.replaced("9999999999999999", with: "3"))?.line("a", reason: "b") == "a,,,b\n")
    }

    @Test func `a header that a spreadsheet would run is marked, and still names its column`() throws {
        let path = folder.write("mpan,date,kwh,=note\nM1,2024-01-01,x,1\n", to: "c.csv")
        let reader = try RowReader(path: path, type: .daily, options: ImportOptions())
        #expect(reader.rejects.headerLine == "mpan,date,kwh,'=note,reason\n")
    }
}
