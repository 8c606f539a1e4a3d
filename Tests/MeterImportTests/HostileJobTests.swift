import Glibc
import HeadroomJobs
import TestSupport
import Testing

@testable import MeterImport

/// What stands in a job's row and beside it is input: it shows no file's bytes, and stops no import.
@Suite struct HostileJobTests {
    private let folder = TemporaryFolder()

    private func message(_ path: String, _ folders: ImportFolders?, _ type: ImportType = .hh) async -> String {
        do {
            try await FileCheck.open(path: path, in: folders, type: type, options: ImportOptions(mpan: "M"))
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test(arguments: [
        "SECRET\n", "SECRET,start\n1,2\n", "start,value (SECRET)\n", "start,usage_kw SECRET\n", "\"SECRET",
        "", "a\0b", "SECRET\u{301}\n", "\n\n",
    ])
    func `no error shows a byte of a file that a row alone has named`(text: String) async {
        let path = folder.write(text, to: "s.csv")
        for type in ImportType.allCases {
            let said = await message(path, ImportFolders(), type)
            #expect(!said.isEmpty && !said.uppercased().contains("SECRET"), "\(said)")
            // Nor that it is there.
            let absent = await message("\(folder.path)/t.csv", ImportFolders(), type)
            #expect(said.replacing("/s.csv", with: "/t.csv") == absent, "\(said)")
        }
        // In a folder that was named the header is shown, as to a person.
        if text.hasPrefix("SECRET,") {
            #expect(await message(path, ImportFolders([folder.path])).contains("SECRET"))
            #expect(await message(path, nil).contains("SECRET"))
        }
    }

    @Test func `of a header only a bounded and printable part is shown`() async {
        let cell = "a\u{1B}[2J\u{202E}" + String(repeating: "\u{301}", count: 400)
        let path = folder.write((0..<70).map { "\($0)\(cell)" }.joined(separator: ",") + "\n", to: "h.csv")
        let said = await message(path, nil)
        #expect(
            String(said.unicodeScalars.filter { $0.value < 0x300 }).contains("a?[2J\\u{202e}")
                && said.utf8.count < 10_000,
            "\(said.prefix(300))"
        )
        #expect(!said.unicodeScalars.contains { $0.value == 0x1B || $0.value == 0x202E })
    }

    @Test func `a file is read from where it was opened, though another stands in its place by then`() async throws {
        let path = folder.write("start,value\n2024-01-01 00:00,1\n", to: "f.csv")
        let file = ReadingFile(
            path: path,
            in: ImportFolders([folder.path]),
            type: .hh,
            options: ImportOptions(mpan: "M")
        )
        let identity = try await file.open().identity
        unlink(path)
        symlink("/etc/passwd", path)
        #expect(try await file.open().identity == identity)
        #expect(try await file.next()?.rows == 1)
    }

    @Test func `what is kept beside a job cannot make an import overflow or grow`() throws {
        let file = FileIdentity(size: 1, sha256: "00")
        var summary = ImportSummary()
        var position = FilePosition()
        position.rows = 7
        let good = ImportCheckpoint(batch: "b", file: file, position: position, summary: summary)
        #expect(ImportCheckpoint(json: good.json) == good)
        for number in [Int.max, Int.min, -1] {
            position.line = number
            #expect(
                ImportCheckpoint(
                    json: ImportCheckpoint(batch: "b", file: file, position: position, summary: summary).json
                ) == nil
            )
            position.line = 1
            #expect(
                ImportCheckpoint(
                    json: ImportCheckpoint(
                        batch: "b",
                        file: file,
                        position: position,
                        summary: summary,
                        before: {
                            var before = FilePosition()
                            before.offset = number
                            return before
                        }()
                    )
                    .json
                ) == nil
            )
            summary.rowsRead = number
            #expect(
                ImportCheckpoint(
                    json: ImportCheckpoint(batch: "b", file: file, position: position, summary: summary).json
                ) == nil
            )
            summary.rowsRead = 0
            #expect(Lane(json: #"{"offset":0,"new":\#(number),"duplicates":0}"#) == nil)
            #expect(RejectsCSV(json: #"{"header":"a","delimiter":44,"columns":\#(number)}"#) == nil)
        }
        #expect(RejectsCSV(json: #"{"header":"a","delimiter":34,"columns":1}"#) == nil)
        #expect(RejectsCSV(json: #"{"header":"a","delimiter":44,"columns":1}"#) != nil)
    }

    @Test func `the one file that may lie anywhere is named by its bytes`() {
        let handler = MeterImportHandler(namedPath: "/a/\u{E9}.csv")
        #expect(handler.isNamed("/a/\u{E9}.csv") && !handler.isNamed("/a/e\u{301}.csv"))
        #expect(!MeterImportHandler().isNamed(""))
    }

    @Test func `metadata of any depth and size is an error of the job, in a few words`() {
        let deep = [String](repeating: "[", count: 30_000) + [String](repeating: "]", count: 30_000)
        let hostile = [
            deep.joined(), #"{"a":"# + String(repeating: #"{"a":"#, count: 10_000),
            String(repeating: "x", count: 70_000),
            #"{"mpan":"\#(String(repeating: "9", count: 60_000))","timezone":3}"#, #"{"default_site_id":1e400}"#,
            #"{"date_order":"\#(String(repeating: "\u{301}", count: 20_000))"}"#, "{\"timezone\":\"\0\"", "\u{0}",
        ]
        for text in hostile {
            do {
                _ = try ImportOptions(metadata: text)
                Issue.record("taken: \(text.prefix(40))")
            } catch {
                #expect("\(error)".utf8.count < 500)
            }
        }
        #expect(throws: ImportError.self) {
            try ImportOptions(timezone: String(repeating: "A", count: 60_000)).validate()
        }
        #expect(ImportSummary(json: deep.joined()) == nil)
        // What the decoder itself would take.
        let note = String(repeating: "x", count: 70_000)
        #expect(throws: ImportError.self) { try ImportOptions(metadata: #"{"mpan":"1","note":"\#(note)"}"#) }
        let tags = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
        #expect(throws: ImportError.self) { try ImportOptions(metadata: #"{"mpan":"1","tags":\#(tags)}"#) }
        #expect(throws: Never.self) { try ImportOptions(metadata: #"{"mpan":"1","tags":[[{"a":1}]]}"#) }
        let braces = String(repeating: #"[{\""#, count: 40)
        #expect(throws: Never.self) { try ImportOptions(metadata: #"{"mpan":"1","note":"\#(braces)","size":1e99}"#) }
    }
}
