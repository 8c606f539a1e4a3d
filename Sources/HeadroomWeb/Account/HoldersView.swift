import CommandSupport
import HeadroomWatch
import Reporting

/// The table of who holds the account's connections.
struct HoldersView: Sendable {
    struct Row: Sendable {
        var colour: String
        var program: String
        var pid: String
        var host: String
        var doing: String
        var `for`: String
        var transaction: String
        var id: String
        var end: String?
    }

    var title: String
    var sessions: [Row]
    var hasSessions: Bool
    var empty: String
    var hidden: [String]

    /// The most sessions that are listed.
    private static let most = 200

    init(_ picture: AccountPicture) {
        let isLocked = picture.view.report.refusal != nil
        let report = isLocked ? picture.lastSeen?.report : picture.view.report
        let all = (report?.sessions ?? []).filter { $0.isOfAccount && !$0.isOwn }
        let colours = TileLayout.colours(of: Set(all.map { $0.program ?? TileLayout.unnamed }).sorted())
        sessions = all.prefix(Self.most)
            .map { session in
                Row(
                    colour: "\(colours[session.program ?? TileLayout.unnamed] ?? 0)",
                    program: printable(session.program ?? TileLayout.unnamed),
                    pid: session.processID.map { "\($0)" } ?? "–",
                    host: printable(session.hostName),
                    doing: session.isDying ? "ending" : session.isSleeping ? "idle" : printable(session.command),
                    for: ClockText.length(session.duration),
                    transaction: session.inTransaction.map { $0 ? "yes" : "no" } ?? "not known",
                    id: "\(session.id)",
                    end: session.isSleeping && !isLocked ? "/sessions/\(session.id)/end" : nil
                )
            }
        hasSessions = !sessions.isEmpty
        title = isLocked ? "Who held them at the last look" : "Who holds them"
        if all.count > Self.most { title += ": the first \(Self.most) of \(grouped(all.count))" }
        empty = isLocked ? "Nothing was seen yet." : "Nobody holds a connection. All of them are free."
        hidden = report?.hidden ?? []
    }
}
