import CommandSupport
import Headroom
import HeadroomWatch

/// A status report as JSON.
package struct StatusJSON: Encodable {
    struct Limit: Encodable {
        @Nullable var value: Int?
        var source: String
    }

    struct SessionJSON: Encodable {
        var id: UInt64
        var user: String
        var host: String
        @Nullable var database: String?
        var command: String
        var seconds: Double
        @Nullable var inTransaction: Bool?
        @Nullable var program: String?
        @Nullable var pid: Int?
        var own: Bool
        var ofAccount: Bool
        /// `account`, `another` or `unclear`.
        var owner: String
    }

    struct Group: Encodable {
        @Nullable var name: String?
        var sessions: Int
        var active: Int
        var idle: Int
        @Nullable var oldestIdleSeconds: Double?

        init(_ group: SessionGroup) {
            name = group.name
            sessions = group.sessions
            active = group.active
            idle = group.idle
            oldestIdleSeconds = group.oldestIdle.map { ($0.seconds * 1000).rounded() / 1000 }
        }
    }

    struct Server: Encodable {
        @Nullable var limit: Int?
        @Nullable var connected: Int?
        @Nullable var peak: Int?
        @Nullable var uptimeSeconds: Int?
        @Nullable var refused: Int?
    }

    struct Lock: Encodable {
        var name: String
        var program: String
        var pid: Int32
        var label: String
        var seconds: Double
    }

    struct FrontDoor: Encodable {
        var configuredPlaces: Int
        @Nullable var places: Int?
        @Nullable var used: Int?
        @Nullable var waiting: Int?
        @Nullable var mostUsed: Int?
        @Nullable var mostWaiting: Int?
        @Nullable var total: Int?
        @Nullable var error: String?

        /// Creates what is known of a front door; `nil` when there is none.
        init?(_ view: StatusView) {
            configuredPlaces = view.settings.frontDoor
            switch view.frontDoor {
            case nil:
                guard configuredPlaces > 0 else { return nil }
            case .failure(let failure):
                error = "\(failure.code)"
            case .success(let report):
                places = report.places
                used = report.used
                waiting = report.waiting
                mostUsed = report.mostUsed
                mostWaiting = report.mostWaiting
                total = report.total
            }
        }
    }

    /// What lies beside the account's numbers, on the same level.
    struct Details: Encodable {
        var advice: String
        var dying: Int
        @Nullable var idleInTransaction: Int?
        @Nullable var inTransactionReason: String?
        @Nullable var oldestIdleSeconds: Double?
        var byProgram: [Group]
        var byHost: [Group]
        var byDatabase: [Group]
        @Nullable var wholeServer: Server?
        @Nullable var slots: SlotsJSON?
        @Nullable var frontDoor: FrontDoor?
        @Nullable var hosts: [HostsJSON.Host]?
        var heldTooLong: Int
        var locks: [Lock]
        var hidden: [String]

        init(_ view: StatusView) {
            let report = view.report
            advice = view.advice
            dying = report.dying
            idleInTransaction = report.idleInTransaction
            inTransactionReason = report.transactions == .known ? nil : report.transactions.rawValue
            oldestIdleSeconds = report.oldestIdle.map { ($0.duration.seconds * 1000).rounded() / 1000 }
            byProgram = report.groups { $0.program }.map { Group($0) }
            byHost = report.groups { $0.hostName }.map { Group($0) }
            byDatabase = report.groups { $0.database }.map { Group($0) }
            wholeServer = report.server.map {
                Server(
                    limit: $0.limit,
                    connected: $0.connected,
                    peak: $0.peak,
                    uptimeSeconds: $0.uptime.map { Int(clamped: $0.seconds) },
                    refused: $0.refused
                )
            }
            slots = view.slots.map { SlotsJSON($0) }
            frontDoor = FrontDoor(view)
            hosts = view.hosts.map { HostsJSON($0).hosts }
            heldTooLong = view.heldTooLong.count
            locks = view.locks.map {
                Lock(
                    name: $0.name,
                    program: $0.holder.program,
                    pid: $0.holder.processID,
                    label: $0.holder.label,
                    seconds: ($0.holder.age.seconds * 1000).rounded() / 1000
                )
            }
            hidden = report.hidden
        }
    }

    struct ErrorJSON: Encodable {
        var code: String
        var message: String
        var advice: String
        @Nullable var serverCode: Int?
    }

    var header = JSONHeader()
    var level: String
    @Nullable var account: String?
    @Nullable var serverVersion: String?
    var limit: Limit
    @Nullable var used: Int?
    @Nullable var percent: Double?
    var active: Int
    var sleeping: Int
    var idle: Int
    var maxIdleSeconds: Double
    var details: Details
    var sessions: [SessionJSON]
    @Nullable var error: ErrorJSON?

    package init(_ view: StatusView) {
        let report = view.report
        details = Details(view)
        level = report.level.rawValue
        account = report.account
        serverVersion = report.serverVersion
        limit = Limit(value: report.limit.value, source: report.limit.source.rawValue)
        used = report.used
        percent = report.percent.map { ($0 * 10).rounded() / 10 }
        active = report.active
        sleeping = report.sleeping
        idle = report.idle
        maxIdleSeconds = report.maxIdle.seconds
        sessions = report.sessions.map { session in
            SessionJSON(
                id: session.id,
                user: session.user,
                host: session.host,
                database: session.database,
                command: session.command,
                seconds: (session.duration.seconds * 1000).rounded() / 1000,
                inTransaction: session.inTransaction,
                program: session.program,
                pid: session.processID,
                own: session.isOwn,
                ofAccount: session.isOfAccount,
                owner: session.owner.rawValue
            )
        }
        error = report.refusal.map {
            ErrorJSON(code: "\($0.code)", message: $0.message, advice: $0.advice, serverCode: $0.serverCode)
        }
    }

    package func encode(to encoder: any Encoder) throws {
        try header.encode(to: encoder)
        try details.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(level, forKey: .level)
        try container.encode(_account, forKey: .account)
        try container.encode(_serverVersion, forKey: .serverVersion)
        try container.encode(limit, forKey: .limit)
        try container.encode(_used, forKey: .used)
        try container.encode(_percent, forKey: .percent)
        try container.encode(active, forKey: .active)
        try container.encode(sleeping, forKey: .sleeping)
        try container.encode(idle, forKey: .idle)
        try container.encode(maxIdleSeconds, forKey: .maxIdleSeconds)
        try container.encode(sessions, forKey: .sessions)
        try container.encode(_error, forKey: .error)
    }

    private enum CodingKeys: String, CodingKey {
        case level
        case account
        case serverVersion
        case limit
        case used
        case percent
        case active
        case sleeping
        case idle
        case maxIdleSeconds
        case sessions
        case error
    }
}
