import CLibrary

extension StateFolder {
    /// Why the folder may not make one budget of all programs that use it; `nil` where nothing speaks against it.
    ///
    /// - Parameter now: The time, in seconds since 1970.
    /// - Returns: A sentence with what to do.
    func doubt(now: Int = time(nil)) -> String? {
        guard access(path, F_OK) == 0 else { return nil }
        let cure = "Name a folder on a disk of this machine with HEADROOM_STATE_DIR"
        if let kind = Machine.networkFileSystem(path) {
            return
                "The state folder \(path) is on a network (\(kind)), where a lock may not bind other machines, or none at all. \(cure)"
        }
        guard let doubt = noted(now) else { return nil }
        let hosts = "set HEADROOM_HOSTS if both use the account"
        switch doubt.kind {
        case .shared:
            return
                "The state folder \(path) is used by another machine too (\(doubt.machine)): each may take the whole budget. "
                + "\(cure), and \(hosts)"
        case .copied:
            return
                "The state folder \(path) is a copy, or restored from a backup (last used on \(doubt.machine)). If programs still run "
                + "beside the original, each side takes the whole budget: \(hosts)"
        }
    }

    /// Notes that this machine uses the folder, and says what speaks against that.
    private func noted(_ now: Int) -> MachineNotes.Doubt? {
        guard let descriptor = try? Self.openShared("\(path)/machines") else { return nil }
        defer { close(descriptor) }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, let bytes = try? RegularFile.read(descriptor, atMost: 4096) else {
            return nil
        }
        let known = MachineNotes(String(decoding: bytes, as: UTF8.self))
        var name = utsname()
        uname(&name)
        let machine = withUnsafeBytes(of: &name.nodename) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        var notes = known
        let boot = Machine.bootID.keeping { !$0.isBlank }
        let doubt = notes.note(boot: boot, machine: machine, file: UInt64(facts.st_ino), now: now)
        if notes != known {
            let text = Array(notes.text.utf8)
            if pwrite(descriptor, text, text.count, 0) == text.count { ftruncate(descriptor, off_t(text.count)) }
        }
        return doubt
    }
}

/// Which machines have used a state folder: their starts, the last one at the end.
///
/// A start never comes back. So one that is noted, and is not the last, proves that another machine has used the folder since;
/// and a start that is not noted, in a file that is another one than the notes say, that the folder is a copy.
struct MachineNotes: Equatable {
    /// What speaks against the folder.
    struct Doubt: Equatable {
        enum Kind: String { case shared, copied }
        var kind: Kind
        /// When that was seen, in seconds since 1970.
        var time: Int
        /// The other machine's name.
        var machine: String
    }

    private var file: UInt64 = 0
    private var doubt: Doubt?
    private var starts: [(boot: String, machine: String)] = []

    /// For how long a doubt is told: programs of cron may be all that sees its cause, and nobody reads what they say.
    private static let telling = 86_400

    init(_ text: String) {
        for line in text.pieces(separator: "\n") {
            let words = line.pieces(separator: " ", maxSplits: 3).map(String.init)
            switch words.first {
            case "file" where words.count == 2: file = UInt64(words[1]) ?? 0
            case "start" where words.count == 3: starts.append((words[1], words[2]))
            case let word? where words.count == 3:
                guard let kind = Doubt.Kind(rawValue: word), let time = Int(words[1]) else { continue }
                doubt = Doubt(kind: kind, time: time, machine: words[2])
            default: break
            }
        }
    }

    /// Notes a start of a machine.
    ///
    /// - Parameters:
    ///   - boot: What tells the start from every other.
    ///   - machine: The machine's name.
    ///   - file: What tells the file of the notes from every other.
    ///   - now: The time, in seconds since 1970.
    /// - Returns: What speaks against the folder.
    mutating func note(boot: String, machine: String, file: UInt64, now: Int) -> Doubt? {
        let name = machine.keeping { !$0.isBlank && !$0.steers }
        if let last = starts.last, last.boot != boot {
            if let place = starts.firstIndex(where: { $0.boot == boot }) {
                doubt = Doubt(kind: .shared, time: now, machine: last.machine)
                starts.remove(at: place)
            } else if file != self.file {
                doubt = Doubt(kind: .copied, time: now, machine: last.machine)
            }
        }
        if starts.last?.boot != boot { starts = starts.suffix(3) + [(boot, name.isEmpty ? "-" : name)] }
        self.file = file
        if let doubt, !(0..<Self.telling).contains(now.subtractingReportingOverflow(doubt.time).partialValue) {
            self.doubt = nil
        }
        return doubt
    }

    /// The notes as they are kept.
    var text: String {
        let doubts = doubt.map { "\($0.kind.rawValue) \($0.time) \($0.machine)\n" } ?? ""
        return "file \(file)\n\(doubts)" + starts.map { "start \($0.boot) \($0.machine)\n" }.joined()
    }

    static func == (left: MachineNotes, right: MachineNotes) -> Bool { left.text == right.text }
}

extension DatabaseSettings {
    /// Why a state folder may not make one budget of all programs that use it; `nil` where nothing speaks against it.
    ///
    /// - Parameter named: The folder that the settings name, if they do.
    /// - Returns: A sentence with what to do.
    package static func stateFolderDoubt(_ named: String?) -> String? { StateFolder(named).doubt() }
}
