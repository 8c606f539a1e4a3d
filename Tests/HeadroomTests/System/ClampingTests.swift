import TestSupport
import Testing

@testable import Headroom

/// Numbers that no honest program writes: a report, or words, and never the end of the process.
@Suite struct NumbersFromOutsideTests {
    private let extremes: [Int64] = [.min, .min + 1, -1, 0, 1, 1 << 62, .max - 1, .max]

    @Test func `a holder of any time is as old as a time can be`() {
        for since in extremes {
            var holder = Holder()
            holder.since = since
            #expect(holder.age >= .zero)
            #expect(holder.withBytes { Holder(bytes: UnsafeRawBufferPointer($0)) }.since == since)
        }
    }

    @Test func `a slot file that has any time and limit is reported, and its account is read anew`() throws {
        let folder = TemporaryFolder()
        let file = try SlotFile(path: "\(folder.path)/slots")
        var settings = DatabaseSettings(endpoint: .socket(path: "/nowhere"), username: "app")
        settings.stateFolder = folder.path
        let gate = AccountAdmission(Connector(settings), recorder: Recorder(name: "test"))
        for time in extremes {
            var table = SlotTable()
            file.read(into: &table)
            (table.limitReadAt, table.serverStartedAt) = (time, time)
            table.limit = Int(clamping: time)
            table.foreignSessions = Int(clamping: time)
            file.writeHead(table)
            #expect(try SlotReport(folder: folder.path, settings: settings).budget >= 1)
            let admission = try Admission(folder: folder.path, policy: Admission.Policy(settings), program: "test")
            #expect(gate.isStale(admission))
        }
    }

    @Test(arguments: 1...8)
    func `a row of shares with a number that cannot be is none, in any of its fields`(field: Int) {
        let fields = ["deadbeef", "3", "2", "5", "1764000000000000", "1763999000000000", "9", "2", "-3", "web 1"]
        #expect(ShareTable(text: fields.joined(separator: "\t")) != nil)
        for number in extremes {
            var broken = fields
            broken[field] = "\(number)"
            let terms = ShareTiming()
            guard var book = ShareTable(text: broken.joined(separator: "\t")) else { continue }
            for now in extremes {
                for entry in book.entries { _ = HostsReport.Host(entry, now: now, terms).isClockWrong }
                let request = ShareTable.Request(host: "own", inUse: 1, wanted: 4, budget: 9, hosts: 2, clock: now)
                _ = book.exchange(request, at: now, terms)
                #expect(ShareTable(text: book.text) != nil, "\(book.text)")
            }
        }
        var broken = fields
        broken[field] = "9223372036854775808"
        #expect(ShareTable(text: broken.joined(separator: "\t")) == nil)
    }

    @Test func `a host's name has one line and one field in the book`() throws {
        var entry = ShareTable.Entry(host: "a", name: "one\r\ntwo\t\u{301}three\n\u{600}")
        entry.wanted = 1
        let read = try #require(ShareTable(text: ShareTable(entries: [entry]).text))
        #expect(read.entries.count == 1)
        #expect(read.entries[0].name.unicodeScalars.allSatisfy { $0.value >= 0x20 })
    }
}
