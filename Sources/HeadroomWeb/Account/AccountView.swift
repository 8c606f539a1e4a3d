import CommandSupport
import Glibc
import Headroom
import HeadroomWatch
import Reporting

/// What the page shows of an account.
struct AccountView: Sendable {
    struct Tile: Sendable {
        var kind: String
        var colour: String?
        var name: String
        var detail: String
        var title: String
    }

    struct Key: Sendable {
        var program: String
        var colour: String
        var count: String
    }

    struct Locked: Sendable {
        var title: String
        var message: String
        var last: String
        var hasHost = false
        var hasProcesses = false
        var processes: [Process] = []
        var hasSteps = false
        var steps: [RescueAdvice.Step] = []
    }

    struct Process: Sendable {
        var pid: String
        var user: String
        var sockets: String
        var silent: String
        var command: String
        var hangUp: String?
    }

    var level: String
    var levelClass: String
    var used: String
    var limit: String
    var percent: String?
    var advice: String
    var fullIn: String
    var active: String
    var idle: String
    var account: String
    var locked: Locked?
    var tilesTitle: String
    var isMany: Bool
    var isStale: Bool
    var tiles: [Tile]
    var notDrawn: String?
    var key: [Key]

    init(_ picture: AccountPicture, settings: DatabaseSettings) {
        let report = picture.view.report
        let seen = report.refusal == nil ? report : picture.lastSeen?.report
        let snapshot = seen == nil ? picture.rescue?.snapshot ?? AccountSnapshot.last(settings) : nil
        level = report.level.rawValue
        levelClass = level.lowercased()
        let limitValue = report.limit.value ?? seen?.limit.value ?? snapshot?.limit
        used = report.used.map { grouped($0) } ?? "?"
        limit = limitValue.map { grouped($0) } ?? "?"
        percent = report.percent.map { fixed($0, 1) }
        advice = picture.view.advice
        let minutes = picture.minutesUntilFull
        fullIn =
            report.level == .exhausted
            ? "full"
            : minutes.map { ClockText.length(.seconds($0 * 60)) } ?? (report.refusal == nil ? "not filling" : "?")
        active = seen.map { grouped($0.active) } ?? "?"
        idle = seen.map { grouped($0.sleeping) } ?? "?"
        account = seen?.account ?? snapshot?.account ?? settings.username

        let holders = seen.map(Self.holders) ?? snapshot.map(Self.holders) ?? []
        let layout = TileLayout(
            holders,
            used: max(seen?.used ?? snapshot?.used ?? 0, Self.others(seen) + holders.count),
            limit: limitValue,
            reserve: settings.reserve
        )
        isStale = report.refusal != nil
        isMany = layout.tiles.count > 60
        tilesTitle =
            isStale
            ? Self.age(picture, snapshot).map { "As it was \($0) ago" } ?? "Not seen yet"
            : "Every connection of the limit"
        tiles = layout.tiles.map(Self.tile)
        notDrawn = layout.notDrawn > 0 ? grouped(layout.notDrawn) : nil
        key = layout.key.map { Key(program: printable($0.program), colour: "\($0.colour)", count: grouped($0.count)) }
        if let refusal = report.refusal {
            locked = Self.locked(refusal, picture, snapshot, settings)
        }
    }

    /// Where the limit is the whole server's, other accounts' connections count too.
    private static func others(_ report: AccountReport?) -> Int {
        guard let report, report.limit.source == .server, let connected = report.server?.connected else { return 0 }
        return max(0, connected - report.sessions.count { $0.isOfAccount })
    }

    private static func holders(_ report: AccountReport) -> [TileLayout.Holder] {
        report.sessions.filter { $0.isOfAccount && !$0.isOwn && !$0.isDying }
            .map { session in
                TileLayout.Holder(
                    session: session.id,
                    program: session.program,
                    isSleeping: session.isSleeping,
                    inTransaction: session.inTransaction == true,
                    detail: (session.isSleeping ? "idle " : "") + ClockText.length(session.duration)
                )
            }
    }

    private static func holders(_ snapshot: AccountSnapshot) -> [TileLayout.Holder] {
        snapshot.sessions.map { session in
            TileLayout.Holder(
                session: session.id,
                program: session.program,
                isSleeping: session.command == "Sleep",
                detail: ClockText.length(.seconds(session.seconds))
            )
        }
    }

    private static func tile(_ tile: TileLayout.Tile) -> Tile {
        let words: (name: String, detail: String) =
            switch tile.kind {
            case .active, .idle: (printable(tile.program), tile.detail)
            case .transaction: (printable(tile.program), "tx, \(tile.detail)")
            case .unseen: ("in use", "not visible")
            case .reserved: ("reserved", "for people")
            case .free: ("free", "")
            }
        let session = tile.session.map { ", session \($0)" } ?? ""
        let title = words.name + session + (words.detail.isEmpty ? "" : ", \(words.detail)")
        return Tile(
            kind: tile.kind.rawValue,
            colour: tile.colour.map(String.init),
            name: words.name,
            detail: words.detail,
            title: title
        )
    }

    /// How old the last picture is; `nil` when there is none.
    private static func age(_ picture: AccountPicture, _ snapshot: AccountSnapshot?) -> String? {
        picture.lastSeen.map { ClockText.length(.seconds(picture.takenAt - $0.at)) }
            ?? snapshot.map { ClockText.length($0.age) }
    }

    private static func locked(
        _ refusal: DatabaseError,
        _ picture: AccountPicture,
        _ snapshot: AccountSnapshot?,
        _ settings: DatabaseSettings
    ) -> Locked {
        let age = age(picture, snapshot)
        var locked = Locked(
            title: refusal.isRefusal ? "The account lets nobody in" : "The database cannot be reached",
            message: refusal.message,
            last: age.map { "The picture below is \($0) old. The dashboard goes on trying." }
                ?? "There is no earlier picture. The dashboard goes on trying."
        )
        guard let rescue = picture.rescue else { return locked }
        locked.hasHost = true
        locked.processes = rescue.host.processes.filter { !$0.isOurs }
            .map { process in
                Process(
                    pid: "\(process.id)",
                    user: process.userName ?? "\(process.user)",
                    sockets: "\(process.sockets.count)",
                    silent: process.silences.first.map(ClockText.length) ?? "unknown",
                    command: printable(process.commandLine),
                    hangUp: process.user == geteuid() || geteuid() == 0 ? "/holders/\(process.id)/hang-up" : nil
                )
            }
        locked.hasProcesses = !locked.processes.isEmpty
        locked.steps = RescueAdvice(rescue, settings: settings, user: geteuid(), idle: .seconds(300)).steps
        locked.hasSteps = !locked.steps.isEmpty
        return locked
    }
}
