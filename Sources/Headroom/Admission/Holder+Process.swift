import Glibc

extension Holder {
    /// This process, in a slot that is being opened.
    static func thisProcess(program: String, label: String, site: String) -> Holder {
        var holder = Holder()
        holder.processID = thisProcessID
        holder.processStart = startOfThisProcess
        holder.program = program
        holder.label = label
        holder.site = site
        return holder
    }

    private static let thisProcessID = getpid()
    private static let startOfThisProcess = start(of: getpid()) ?? 0

    /// When a process was started, in clock ticks since the machine was; `nil` when there is no such process.
    ///
    /// One that has ended and that its parent has not taken note of is none: it holds nothing and does nothing. (Some
    /// parents never do, as the first process of many containers.)
    static func start(of process: pid_t) -> UInt64? {
        // The second field, the program's name in parentheses, may contain anything.
        guard let text = try? SettingsFile.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard fields.count > 19 else { return nil }
        // With further threads only the first one has ended, and the process goes on.
        if fields[0] == "Z" || fields[0] == "X", (Int(fields[17]) ?? 0) <= 1 { return nil }
        return UInt64(fields[19])
    }
}
