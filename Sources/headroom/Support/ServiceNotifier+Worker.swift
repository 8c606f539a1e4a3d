import CommandSupport
import Headroom
import HeadroomJobs

extension ServiceNotifier {
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
        send("WATCHDOG=1\nSTATUS=\(Escaping.line(status))")
    }
}
