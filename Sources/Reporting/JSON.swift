package import CommandSupport
package import Headroom
package import HeadroomJobs
package import HeadroomWatch
import MeterImport

/// The object of `headroom status --json`.
package struct StatusJSON: Encodable {
    private let view: StatusView

    package init(_ view: StatusView) { self.view = view }

    package func encode(to encoder: any Encoder) throws {
        // Also where it is a part of another program's answer.
        try JSONObject.header.encode(to: encoder)
        try view.json.encode(to: encoder)
    }
}

extension StatusView {
    /// The fields of `headroom status --json`.
    fileprivate var json: JSONObject {
        let inTransaction = report.transactions == .known ? nil : report.transactions.rawValue
        return [
            "level": report.level.rawValue, "account": report.account, "server_version": report.serverVersion,
            "limit": report.limit.json, "used": report.used, "percent": report.percent.map { ($0 * 10).rounded() / 10 },
            "active": report.active, "sleeping": report.sleeping, "idle": report.idle, "dying": report.dying,
            "max_idle_seconds": report.maxIdle.seconds, "advice": advice,
            "idle_in_transaction": report.idleInTransaction, "in_transaction_reason": inTransaction,
            "oldest_idle_seconds": report.oldestIdle?.duration.roundedSeconds,
            "by_program": report.groups { $0.program }.map(\.json),
            "by_host": report.groups { $0.hostName }.map(\.json),
            "by_database": report.groups { $0.database }.map(\.json), "whole_server": report.server?.json,
            "slots": slots?.json, "front_door": frontDoorJSON, "hosts": hosts?.hosts.map(\.json),
            "held_too_long": heldTooLong.count, "locks": locks.map(\.json), "hidden": report.hidden,
            "sessions": report.sessions.map { session -> JSONObject in
                [
                    "id": session.id, "user": session.user, "host": session.host, "database": session.database,
                    "command": session.command, "seconds": session.duration.roundedSeconds,
                    "in_transaction": session.inTransaction, "program": session.program, "pid": session.processID,
                    "own": session.isOwn, "of_account": session.isOfAccount, "owner": session.owner.rawValue,
                ]
            },
            "error": report.refusal.map { error -> JSONObject in
                [
                    "code": "\(error.code)", "message": error.message, "advice": error.advice,
                    "server_code": error.serverCode,
                ]
            },
        ]
    }

    /// What is known of the front door; `nil` when there is none.
    private var frontDoorJSON: JSONObject? {
        let (report, error) =
            switch frontDoor {
            case nil: (FrontDoorReport?.none, String?.none)
            case .success(let report): (report, nil)
            case .failure(let error): (nil, "\(error.code)")
            }
        guard settings.frontDoor > 0 || frontDoor != nil else { return nil }
        return [
            "configured_places": settings.frontDoor, "places": report?.places, "used": report?.used,
            "waiting": report?.waiting, "most_used": report?.mostUsed, "most_waiting": report?.mostWaiting,
            "total": report?.total, "error": error,
        ]
    }
}

extension AccountLimit {
    package var json: JSONObject { ["value": value, "source": source.rawValue] }
}

extension SessionGroup {
    fileprivate var json: JSONObject {
        [
            "name": name, "sessions": sessions, "active": active, "idle": idle,
            "oldest_idle_seconds": oldestIdle?.roundedSeconds,
        ]
    }
}

extension ServerUse {
    fileprivate var json: JSONObject {
        [
            "limit": limit, "connected": connected, "peak": peak,
            "uptime_seconds": uptime.map { Int(clamped: $0.seconds) }, "refused": refused,
        ]
    }
}

extension HostLockReport {
    fileprivate var json: JSONObject {
        [
            "name": name, "program": holder.program, "pid": holder.processID, "label": holder.label,
            "seconds": holder.age.roundedSeconds,
        ]
    }
}

extension SlotReport {
    /// The fields of `headroom slots --json`.
    package var json: JSONObject {
        [
            "account": account, "folder": folder, "limit": limit, "budget": budget,
            "held": held.map { held -> JSONObject in
                let holder = held.holder
                return [
                    "slot": held.slot, "state": holder.state.words, "program": holder.program, "pid": holder.processID,
                    "session_id": holder.sessionID == 0 ? nil : holder.sessionID, "seconds": holder.age.roundedSeconds,
                    "label": holder.label, "site": holder.site, "held_too_long": holder.isHeldTooLong,
                ]
            },
            "waiting": waiting.map { waiting -> JSONObject in
                [
                    "program": waiting.holder.program, "pid": waiting.holder.processID, "tasks": waiting.tasks,
                    "seconds": waiting.longest.roundedSeconds,
                ]
            },
            "foreign_sessions": foreignSessions,
        ]
    }
}

extension Holder.State {
    /// The state in a word.
    package var words: String {
        switch self {
        case .unknown: "unknown"
        case .opening: "opening"
        case .open: "open"
        case .idle: "idle"
        case .draining: "draining"
        case .program: "program"
        }
    }
}

extension HostsReport.Host {
    /// A host of `headroom slots --hosts --json`.
    package var json: JSONObject {
        [
            "name": name, "identity": identity, "share": share, "in_use": inUse, "wanted": wanted,
            "seconds_left": left.seconds, "silent_seconds": silence.seconds, "clock_error_seconds": clockError.seconds,
            "is_silent": isSilent, "is_clock_wrong": isClockWrong,
        ]
    }
}

/// A job, as `headroom jobs show --json` says it.
package struct JobJSON: Encodable {
    private let job: ImportJob

    package init(_ job: ImportJob) { self.job = job }

    package func encode(to encoder: any Encoder) throws { try job.json.encode(to: encoder) }
}

extension ImportJob {
    /// The fields of `headroom jobs show --json`.
    package var json: JSONObject {
        [
            "id": id, "status": status.rawValue, "type": type, "filename": filename, "path": path, "batch_id": batchID,
            "dry_run": isDryRun, "priority": priority.rawValue, "total_rows": totalRows,
            "processed_rows": counts.processed, "imported_rows": counts.imported, "failed_rows": counts.failed,
            "queued_at": queuedAt, "started_at": startedAt, "completed_at": completedAt, "error_message": errorMessage,
            "summary": summary.flatMap(ImportSummary.init(json:)),
        ]
    }
}
