import CLibrary

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

    /// When a process was started, which tells it from others of its id; `nil` when there is no such process.
    static func start(of process: pid_t) -> UInt64? { Machine.start(of: process) }
}
