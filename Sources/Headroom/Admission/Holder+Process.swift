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
    static func start(of process: pid_t) -> UInt64? {
        // The second field, the program's name in parentheses, may contain anything.
        guard let text = try? SettingsFile.read("/proc/\(process)/stat"), let end = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: end)...].split(separator: " ")
        return fields.count > 19 ? UInt64(fields[19]) : nil
    }
}
