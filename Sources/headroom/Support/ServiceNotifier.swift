import Glibc
import Headroom
import HeadroomJobs

/// Tells systemd how a service does (sd_notify(3)); elsewhere it does nothing.
enum ServiceNotifier {
    /// Sends a state, such as `READY=1`.
    static func send(_ state: String) {
        guard let path = Variables.value("NOTIFY_SOCKET"), path.first == "/" || path.first == "@" else { return }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // An abstract name begins with a zero byte, which systemd writes as @.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Array(state.utf8).withUnsafeBytes { sendto(socket, $0.baseAddress, $0.count, 0, address, size) }
            }
        }
    }

    /// Tells what a worker does; each event is progress, so the watchdog is content.
    static func note(_ event: Worker.Event) {
        guard Variables.value("NOTIFY_SOCKET") != nil else { return }
        let status =
            switch event {
            case .started(let job): "job \(job.id): \(job.filename)"
            case .progressed(let job, let progress): "job \(job.id): \(progress.counts.processed) rows"
            case .interrupted(let job, _): "job \(job.id): interrupted, goes on"
            case .waiting(let error): "waiting: \(error.message)"
            case .yielded(let reason): "waiting: \(reason)"
            case .idle, .ended: "waiting for jobs"
            }
        send("WATCHDOG=1\nSTATUS=\(status.filter { $0 != "\n" })")
    }
}

/// The variables of this program's environment.
enum Variables {
    /// The variable's value; `nil` when it is not set or empty.
    static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
