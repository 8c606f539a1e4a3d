import TestSupport
import Testing

@testable import Headroom

/// A state folder that two machines use, or that is a copy, is found out and told for a day.
@Suite struct MachineNotesTests {
    private let folder = TemporaryFolder()

    /// What is said when machines use a folder one after the other.
    private func told(_ uses: [(boot: String, file: UInt64, time: Int)]) -> [MachineNotes.Doubt.Kind?] {
        var notes = MachineNotes("")
        return uses.map { use in
            let doubt = notes.note(boot: use.boot, machine: "host \(use.boot)", file: use.file, now: use.time)
            // As it is kept.
            #expect(MachineNotes(notes.text) == notes)
            notes = MachineNotes(notes.text)
            return doubt?.kind
        }
    }

    @Test func `a machine that starts again is no other machine`() {
        #expect(told((1...20).map { ("boot\($0)", 7, $0) }) == Array(repeating: nil, count: 20))
    }

    @Test func `two machines that take turns are told both, and for a day after`() {
        let uses: [(String, UInt64, Int)] = [
            ("a", 7, 1), ("b", 7, 2), ("b", 7, 3), ("a", 7, 4), ("b", 7, 5), ("b", 7, 6), ("b", 7, 86_404),
            ("b", 7, 86_405),
        ]
        #expect(told(uses) == [nil, nil, nil, .shared, .shared, .shared, .shared, nil])
        // Also of three, and with a start in between.
        #expect(told([("a", 7, 1), ("b", 7, 2), ("c", 7, 3), ("a", 7, 4)]).last == .shared)
        #expect(told([("a", 7, 1), ("b", 7, 2), ("a2", 7, 3), ("b", 7, 4)]).last == .shared)
    }

    @Test func `a copy on another machine, and a backup that was restored after a start, are told`() {
        #expect(told([("a", 7, 1), ("b", 8, 2), ("b", 8, 3), ("b", 8, 86_402)]) == [nil, .copied, .copied, nil])
        // Within the same start it is the same machine.
        #expect(told([("a", 7, 1), ("a", 8, 2), ("b", 8, 3)]) == [nil, nil, nil])
    }

    @Test func `a clock that jumps, and notes that are none, do no harm`() {
        #expect(told([("a", 7, 100), ("b", 7, 100), ("a", 7, 100), ("a", 7, 1)]) == [nil, nil, .shared, nil])
        for text in [
            "x", "shared 9223372036854775807 x\nstart a b", "shared -9223372036854775808 x", "file -1\nstart\nstart a",
            "\0\u{301}",
        ] {
            var notes = MachineNotes(text)
            _ = notes.note(boot: "z", machine: "a b\n\u{1B}", file: .max, now: 5)
            #expect(notes.text.hasSuffix("start z ab\n"))
        }
    }

    @Test func `the folder itself is noted in, and only one that is there`() throws {
        let place = "\(folder.path)/state"
        #expect(StateFolder(place).doubt() == nil)
        #expect(!SettingsFile.exists(place))
        #expect(StateFolder(folder.path).doubt() == nil)
        let notes = try SettingsFile.read("\(folder.path)/machines")
        #expect(notes.contains("start \(Machine.bootID.keeping { !$0.isBlank }) "))
        folder.write(notes + "start another elsewhere\n", to: "machines")
        #expect(StateFolder(folder.path).doubt()?.contains("another machine too (elsewhere)") == true)
        #expect(StateFolder(folder.path).doubt()?.contains("HEADROOM_STATE_DIR") == true)
        folder.write("file 1\nstart another elsewhere\n", to: "machines")
        #expect(StateFolder(folder.path).doubt()?.contains("restored from a backup") == true)
    }

    @Test(arguments: [(0x6969 as UInt32, "NFS"), (0xFF53_4D42, "SMB"), (0x0BD0_0BD0, "Lustre")])
    func `a file system of the network is known by its number`(type: UInt32, name: String) {
        #expect(Machine.networkFileSystem(type: type) == name)
        for local in [0xEF53, 0x5846_5342, 0x9123_683E, 0x0102_1994, 0x794C_7630, 0x2FC1_2FC1] as [UInt32] {
            #expect(Machine.networkFileSystem(type: local) == nil)
        }
    }
}
