import CommandSupport
package import Headroom

/// The slots as JSON.
package struct SlotsJSON: Encodable {
    struct Slot: Encodable {
        var slot: Int
        var state: String
        var program: String
        var pid: Int32
        @Nullable var sessionId: UInt64?
        var seconds: Double
        var label: String
        var site: String
        var heldTooLong: Bool
    }

    struct Waiting: Encodable {
        var program: String
        var pid: Int32
        var tasks: Int
        var seconds: Double
    }

    var account: String
    var folder: String
    @Nullable var limit: Int?
    var budget: Int
    var held: [Slot]
    var waiting: [Waiting]
    var foreignSessions: Int

    package init(_ report: SlotReport) {
        account = report.account
        folder = report.folder
        limit = report.limit
        budget = report.budget
        held = report.held.map { held in
            Slot(
                slot: held.slot,
                state: held.holder.state.words,
                program: held.holder.program,
                pid: held.holder.processID,
                sessionId: held.holder.sessionID == 0 ? nil : held.holder.sessionID,
                seconds: (held.holder.age.seconds * 1000).rounded() / 1000,
                label: held.holder.label,
                site: held.holder.site,
                heldTooLong: held.holder.isHeldTooLong
            )
        }
        waiting = report.waiting.map { waiting in
            Waiting(
                program: waiting.holder.program,
                pid: waiting.holder.processID,
                tasks: waiting.tasks,
                seconds: (waiting.longest.seconds * 1000).rounded() / 1000
            )
        }
        foreignSessions = report.foreignSessions
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
