import CLibrary
import TestSupport
import Testing

@testable import Headroom

/// Whatever stands in the files, rows and answers that the library reads: an error or what it says, and the process lives on.
@Suite struct HeadroomFuzzTests {
    private let folder = TemporaryFolder()

    /// A slot file as it is in use, its head with the members and the records of a few.
    private func slotBytes() -> [UInt8] {
        var table = SlotTable()
        table.membersUsed = 3
        table.limit = 10
        table.limitReadAt = 1_764_000_000
        table.serverStartedAt = 1_763_000_000
        table.foreignSessions = 1
        for slot in 0..<4 { table.mark(slot, held: true) }
        table.setHostShare(
            HostShare(share: 3, cap: 2, usableUntil: HostMoment.now.time + 1_000_000_000, nextAt: 5, isWaiting: true),
            in: HostMoment.now.boot
        )
        for index in 0..<3 {
            table[member: index] = SlotTable.Member(
                ticket: index == 0 ? 0 : 1_000 + UInt64(index),
                waiting: index,
                budget: 4,
                reserve: 1,
                keepsIdle: true,
                isPresent: true,
                hosts: index,
                share: 2
            )
        }
        return table.bytes
    }

    @Test func `slots: of any bytes a report, and a line that goes on`() async throws {
        let path = "\(folder.path)/slots"
        let file = try SlotFile(path: path)
        var settings = DatabaseSettings(endpoint: .socket(path: "/nowhere"), username: "app")
        settings.stateFolder = folder.path
        // Another open file, whose locks the kernel counts as another process's.
        let other = try SlotFile(path: path)
        for index in 0..<4 {
            _ = other.tryLock(.slot(index))
            _ = other.tryLock(.member(index))
        }
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        defer { close(descriptor) }
        let holders = 20_480
        try await Fuzz.run(.slots, [slotBytes()]) { input, random in
            input.prefix(SlotTable.size).withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, 0) }
            // The records of holders begin elsewhere: the same bytes, as they come.
            input.suffix(1_024).withUnsafeBytes { _ = pwrite(descriptor, $0.baseAddress, $0.count, off_t(holders)) }
            // Without the mark of such a file there are no numbers; the lines of those that have it open go on.
            let report = try? SlotReport(folder: folder.path, settings: settings)
            #expect(report?.budget ?? 0 <= SlotTable.slotCount && report?.held.count ?? 0 <= SlotTable.slotCount)
            for held in report?.held ?? [] { _ = held.holder.age.nanoseconds }
            for waiting in report?.waiting ?? [] { _ = waiting.longest.nanoseconds }
            var line = AdmissionLine<UInt64>(
                member: 7,
                record: SlotTable.Member(reserve: 1, isPresent: true, hosts: Int.random(in: 0...1, using: &random)),
                tolerance: 1_000
            )
            let now = Admission.now
            _ = line.takeAtOnce(file)
            _ = line.arrive(at: now, file) { $0 }
            _ = line.overtake(file)
            _ = line.demand(file)
            _ = line.budget(file)
            for slot in line.held { _ = line.giveBack(slot, at: now, file) }
            var table = SlotTable()
            file.read(into: &table)
            _ = table.hostShare(in: HostMoment.now.boot).isDue(at: HostMoment.now.time, wanted: 3)
            _ = Int64(time(nil)).subtracting(clamped: table.limitReadAt)
        }
    }

    @Test func `shares: a row that is read is shared out, and what is written can be read`() async throws {
        let entry = ShareTable.Entry(
            host: "deadbeef",
            share: 3,
            inUse: 2,
            wanted: 5,
            expires: 1_764_000_000_000_000,
            since: 1_763_999_000_000_000,
            budget: 9,
            setAside: 2,
            clockError: -3,
            name: "web 1"
        )
        var other = entry
        (other.host, other.name) = ("cafe", "web2")
        let text = ShareTable(entries: [entry, other]).text
        try await Fuzz.run(.shares, texts: [text, ShareTable(entries: [entry]).text]) { input, random in
            guard var book = ShareTable(text: input) else { return }
            let now = random.pick([0, 1_764_000_000_000_000, .max, .min, -1] as [Int64])
            for host in book.entries { _ = HostsReport.Host(host, now: now, .usual).isClockWrong }
            _ = book.expired(at: now, except: "own")
            let request = ShareTable.Request(
                host: random.pick(["own", "deadbeef"]),
                name: HostileText.make(&random),
                inUse: 1,
                wanted: 4,
                budget: 9,
                hosts: 2,
                clock: random.pick([0, .max, .min, 1_764_000_000_000_001])
            )
            let answer = book.exchange(request, at: now, ShareTiming())
            #expect(answer.share <= 9 || answer.share <= request.inUse)
            #expect(ShareTable(text: book.text)?.entries.count == book.entries.count, "\(book.text)")
        }
    }

    @Test func `settings: a file of any bytes is read, or refused in words`() async throws {
        let samples = [
            "DB_HOST=db.example.org\nDB_PORT=3306\nDB_USERNAME=app\nDB_PASSWORD=\"a # b\"\nDB_DATABASE='x'\n"
                + "HEADROOM_BUDGET=4\nHEADROOM_WAIT_TIMEOUT=30s\nexport A=\"b\\n$c\"\n",
            "DATABASE_URL=mysql://app:p%40ss@[::1]:3306/db?socket=/run/x.sock&charset=utf8mb4\n",
            "[client]\nuser=app\npassword=\"x\\ty\"\nport=3306\nsocket=/run/m.sock\n!include /nowhere\n[headroom]\nhost = db\n",
        ]
        let path = "\(folder.path)/settings"
        try await Fuzz.run(.settings, samples.map { Array($0.utf8) }) { input, random in
            folder.write(input, to: "settings")
            var sources = SettingsSources(environment: ["HOME": folder.path])
            if random.isOne(in: 2) { sources.envFile = path } else { sources.defaultsFile = path }
            sources.isForgiving = random.isOne(in: 2)
            do {
                _ = try sources.load(programName: "fuzz")
            } catch {
                #expect(error is DatabaseError && !"\(error)".isEmpty)
            }
            let text = String(decoding: input.prefix(200), as: UTF8.self)
            _ = try? SettingsSources(overrides: ["DATABASE_URL": text], environment: [:]).load()
            _ = Duration(text: text).map(\.nanoseconds)
        }
    }

    @Test func `server's texts: versions, refusals and cells of any kind`() async throws {
        let samples = [
            "10.11.6-MariaDB-log", "5.5.5-10.3.39-MariaDB", "8.0.36-28", "Can't connect to server on '127.0.0.1' (111)",
            "User 'app' has exceeded the 'max_user_connections' resource (current value: 10)", "18446744073709551615",
            "-1", "3.25", "(111 \"Connection refused\")",
        ]
        try await Fuzz.run(.serverTexts, texts: samples) { input, _ in
            _ = ServerVersion(input)?.warning
            _ = ServerWords.resource(in: input)
            _ = ServerWords.systemError(in: input)
            let bytes = Array(input.utf8)
            let row = Row(columns: Columns([Column("a", .text)]), ordinal: 1, bytes: bytes, cells: [0..<bytes.count])
            _ = row.number(at: 0)
            _ = row.text(at: 0)
            _ = try? row.decode(Int.self, at: 0)
            _ = try? row.decode(Int32.self, at: 0)
            _ = try? row.decode(UInt64.self, at: 0)
            _ = try? row.decode(Bool.self, at: 0)
            _ = (try? row.decode(Double.self, at: 0)).map { Duration.seconds(clamped: $0).microseconds }
            _ = (try? row.decode(Double.self, at: 0)).map { Int(clamped: $0) }
        }
    }
}
