import CommandSupport
import Headroom
import HeadroomWatch

/// What a rescue found and did, as JSON.
struct RescueJSON: Encodable {
    struct Refusal: Encodable {
        var code: String
        var message: String
        @Nullable var serverCode: Int?
        @Nullable var resource: String?
    }

    struct Limit: Encodable {
        @Nullable var value: Int?
        var source: String
    }

    struct DoorJSON: Encodable {
        var kind: String
        var usable: Bool
        @Nullable var code: String?
        @Nullable var message: String?
    }

    struct Socket: Encodable {
        var fd: Int32
        var kind: String
        @Nullable var local: String?
        @Nullable var silentSeconds: Double?
        @Nullable var waitedFor: Bool?
        var pending: Bool
    }

    struct Process: Encodable {
        var pid: Int32
        var uid: UInt32
        @Nullable var user: String?
        @Nullable var unit: String?
        var command: String
        var runningSeconds: Double
        var secondCopy: Bool
        var sockets: [Socket]
    }

    struct Hidden: Encodable {
        @Nullable var uid: UInt32?
        @Nullable var user: String?
        var count: Int
        var silentSeconds: [Double]
        var suspects: [Process]
    }

    struct HangUp: Encodable {
        var pid: Int32
        var fd: Int32
        var result: String
    }

    struct Terminated: Encodable {
        var pid: Int32
        var result: String
    }

    struct Snapshot: Encodable {
        var ageSeconds: Double
        var account: String
        @Nullable var limit: Int?
        var used: Int
        var sessions: [AccountSnapshot.Entry]
    }

    struct Step: Encodable {
        var text: String
        var commands: [String]
    }

    var lockedOut: Bool
    var free: Bool
    var dryRun: Bool
    @Nullable var refusal: Refusal?
    var limit: Limit
    var doors: [DoorJSON]
    @Nullable var opened: String?
    @Nullable var waitedSeconds: Double?
    @Nullable var listening: Bool?
    var connections: Int
    var processes: [Process]
    var hidden: [Hidden]
    var elsewhere: [String: Int]
    var notes: [String]
    var hangUps: [HangUp]
    @Nullable var termination: Terminated?
    @Nullable var kills: KillJSON?
    @Nullable var lastLook: Snapshot?
    var advice: [Step]

    init(_ report: RescueReport, _ advice: RescueAdvice) {
        lockedOut = report.refusal != nil
        free = report.isFree
        dryRun = report.isDryRun
        refusal = report.refusal.map {
            Refusal(code: "\($0.code)", message: $0.message, serverCode: $0.serverCode, resource: $0.resource)
        }
        limit = Limit(value: report.limit.value, source: report.limit.source.rawValue)
        doors = report.doors.map {
            DoorJSON(
                kind: $0.door.kind.rawValue,
                usable: $0.error == nil,
                code: $0.error.map { "\($0.code)" },
                message: $0.error?.message
            )
        }
        opened = report.opened?.rawValue
        waitedSeconds = report.waited.map(Self.seconds)
        listening = report.host.isListening
        connections = report.host.count
        processes = report.host.processes.filter { !$0.isOurs }.map(Self.process)
        hidden = report.host.hidden.map {
            Hidden(
                uid: $0.user,
                user: $0.userName,
                count: $0.count,
                silentSeconds: $0.silences.map(Self.seconds),
                suspects: $0.suspects.map(Self.process)
            )
        }
        elsewhere = report.host.elsewhere
        notes = report.host.blindSpots
        hangUps = report.hangUps.map {
            HangUp(pid: $0.candidate.process.id, fd: $0.candidate.socket.descriptor, result: $0.result.rawValue)
        }
        termination = report.termination.map { Terminated(pid: $0.process, result: $0.result.rawValue) }
        kills = report.kills.map { KillJSON($0) }
        lastLook = report.snapshot.map {
            Snapshot(
                ageSeconds: Self.seconds($0.age),
                account: $0.account,
                limit: $0.limit,
                used: $0.used,
                sessions: $0.sessions
            )
        }
        self.advice = advice.steps.map { Step(text: $0.text, commands: $0.commands) }
    }

    private static func process(_ process: HostProcess) -> Process {
        Process(
            pid: process.id,
            uid: process.user,
            user: process.userName,
            unit: process.unit,
            command: process.commandLine,
            runningSeconds: seconds(process.age),
            secondCopy: process.isSecondCopy,
            sockets: process.sockets.map {
                Socket(
                    fd: $0.descriptor,
                    kind: $0.isUnix ? "unix" : "tcp",
                    local: $0.local?.description,
                    silentSeconds: $0.silence.map(seconds),
                    waitedFor: $0.isWaitedFor,
                    pending: $0.hasPending
                )
            }
        )
    }

    private static func seconds(_ duration: Duration) -> Double { (duration.seconds * 1000).rounded() / 1000 }
}
