import CommandSupport
import Headroom
import HeadroomWatch
import Reporting

extension RescueOutput {
    var json: JSONObject {
        [
            "locked_out": report.refusal != nil, "free": report.isFree, "dry_run": report.isDryRun,
            "refusal": report.refusal.map { error -> JSONObject in
                [
                    "code": "\(error.code)", "message": error.message, "server_code": error.serverCode,
                    "resource": error.resource,
                ]
            },
            "limit": report.limit.json,
            "doors": report.doors.map { attempt -> JSONObject in
                [
                    "kind": attempt.door.kind.rawValue, "usable": attempt.error == nil,
                    "code": attempt.error.map { "\($0.code)" }, "message": attempt.error?.message,
                ]
            },
            "opened": report.opened?.rawValue, "waited_seconds": report.waited?.roundedSeconds,
            "listening": report.host.isListening, "connections": report.host.count,
            "processes": report.host.processes.filter { !$0.isOurs }.map(\.json),
            "hidden": report.host.hidden.map { hidden -> JSONObject in
                [
                    "uid": hidden.user, "user": hidden.userName, "count": hidden.count,
                    "silent_seconds": hidden.silences.map(\.roundedSeconds), "suspects": hidden.suspects.map(\.json),
                ]
            },
            "elsewhere": report.host.elsewhere, "notes": report.host.blindSpots,
            "hang_ups": report.hangUps.map { hangUp -> JSONObject in
                [
                    "pid": hangUp.candidate.process.id, "fd": hangUp.candidate.socket.descriptor,
                    "result": hangUp.result.rawValue,
                ]
            },
            "termination": report.termination.map { ["pid": $0.process, "result": $0.result.rawValue] as JSONObject },
            "kills": report.kills?.json,
            "last_look": report.snapshot.map { last -> JSONObject in
                [
                    "age_seconds": last.age.roundedSeconds, "account": last.account, "limit": last.limit,
                    "used": last.used, "sessions": last.sessions,
                ]
            },
            "advice": advice.steps.map { ["text": $0.text, "commands": $0.commands] as JSONObject },
        ]
    }
}

extension HostProcess {
    fileprivate var json: JSONObject {
        [
            "pid": id, "uid": user, "user": userName, "unit": unit, "command": commandLine,
            "running_seconds": age.roundedSeconds, "second_copy": isSecondCopy,
            "sockets": sockets.map { socket -> JSONObject in
                [
                    "fd": socket.descriptor, "kind": socket.isUnix ? "unix" : "tcp",
                    "local": socket.local?.description, "silent_seconds": socket.silence?.roundedSeconds,
                    "waited_for": socket.isWaitedFor, "pending": socket.hasPending,
                ]
            },
        ]
    }
}
