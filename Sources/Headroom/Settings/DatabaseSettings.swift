/// Says which account on which server a ``Database`` uses, and how long it waits for what.
public struct DatabaseSettings: Sendable, Hashable {
    /// Where the server listens.
    public var endpoint: Endpoint

    /// Further nodes with the same data, such as those of a Galera cluster, in the order in which they are tried.
    ///
    /// A connection is opened to the first node that takes statements; one that has failed is left out for ten seconds.
    public var otherEndpoints: [Endpoint] = []

    /// The account's user name.
    public var username: String {
        didSet { if username != oldValue { passwordSource = nil } }
    }

    /// The account's password; never printed, and left out of `description`.
    public var password: String {
        didSet { if password != oldValue { passwordSource = nil } }
    }

    /// How many slots are held already for the program that this process is a part of; connections take none of their own then.
    package var givenSlots = 0

    /// Where the password is read again once the server has refused it; `nil` for nowhere, and from then on for another one that
    /// is set by hand.
    package var passwordSource: PasswordSource?

    /// The database that statements mean when they name none; `nil` selects none.
    public var database: String?

    /// How long opening a connection may take, name resolution, TLS and login included; 30 s by default.
    public var connectTimeout: Duration

    /// How long closing waits for the server to hang up; 5 s by default.
    ///
    /// On a healthy server it takes well under a millisecond. What has not been let go by then is watched in the
    /// background until it is.
    public var closeTimeout: Duration

    /// How long a scope waits for a slot of the budget, and for a full account to let it in; 30 s by default.
    public var waitTimeout: Duration = .seconds(30)

    /// How long the short statements of Headroom's own may take together; 8 s by default.
    ///
    /// Such as a look at the account, or a call of the queue: less than the 10 s after which a monitor gives up its plug-ins. Half
    /// of it they may wait for another session's lock. The statements of a scope have the time of that.
    public var answerTimeout: Duration = .seconds(8)

    /// The most connections that all processes of this host may hold together.
    ///
    /// `nil`, the default, takes the account's limit minus the ``reserve``. When several are configured for an account, the
    /// smallest holds.
    public var budget: Int?

    /// How many connections of the limit are left free for others, so that a person can still get in; 1 by default.
    ///
    /// It is also where a session that was given up is ended from. At least one connection is always left for the budget.
    public var reserve = 1

    /// How many connections of the limit a front door may hold for programs that know nothing of slots; 0 by default.
    ///
    /// They are taken out of the budget, beside the ``reserve``. See `headroom deploy haproxy`.
    public var frontDoor = 0

    /// The path of the front door's statistics socket (HAProxy's); `nil` when it is not to be asked.
    public var frontDoorStatistics: String?

    /// How many hosts share the account, when they share it out between them; `nil`, the default, when this is the only one.
    ///
    /// Each has one connection of the budget set aside to ask with; the rest goes to those that wait, see `docs/hosts.md`.
    /// All hosts must say the same number, and use the same ``database``. From 2.
    public var hosts: Int?

    /// How many connections this host may always hold, without asking the others; `nil`, the default, sets no such number.
    ///
    /// Without ``hosts`` it is all that this host may hold: a fixed share of the account.
    public var fixedShare: Int?

    /// The folder in which the processes of this host share what they know.
    ///
    /// `nil`, the default, takes `/run/headroom` when it exists, else `headroom` in the user's state folder. All users of an
    /// account must use the same one.
    public var stateFolder: String?

    /// How long the server lets a session do nothing, in a transaction or out of it, before it ends it; 5 minutes by default.
    ///
    /// So even a connection that is leaked, or whose program hangs, ends. A body that computes for longer between two
    /// statements loses its connection: give it more. Whole seconds, at least 1 (`wait_timeout`, and on MariaDB
    /// `idle_transaction_timeout`; neither needs a privilege).
    public var sessionIdleTimeout: Duration = .seconds(300)

    /// From when on a scope counts as held too long, and is logged and counted; `nil`, the default, never.
    public var holdWarning: Duration?

    /// Encryption; by default ``TLS/Mode/preferred`` over TCP and ``TLS/Mode/disabled`` on a socket.
    public var tls: TLS

    /// The program's name as the server shows it (`program_name` among the connect attributes).
    public var programName: String

    /// Creates settings; every parameter with a default may be left out.
    public init(
        endpoint: Endpoint,
        username: String,
        password: String = "",
        database: String? = nil,
        connectTimeout: Duration = .seconds(30),
        closeTimeout: Duration = .seconds(5),
        tls: TLS? = nil,
        programName: String = "headroom"
    ) {
        self.endpoint = endpoint
        self.username = username
        self.password = password
        self.database = database
        self.connectTimeout = connectTimeout
        self.closeTimeout = closeTimeout
        self.tls = tls ?? TLS(mode: endpoint.isSocket ? .disabled : .preferred)
        self.programName = programName
    }
}

extension DatabaseSettings: CustomStringConvertible {
    /// The account and the place, without the password.
    public var description: String {
        "\(username) at \(endpoint)\(database.map { ", database \($0)" } ?? "")"
    }
}

extension DatabaseSettings: CustomReflectable {
    /// The settings without the password, so that `dump` and a debugger's summary do not show it either.
    public var customMirror: Mirror {
        Mirror(self, children: ["endpoint": endpoint, "username": username, "database": database as Any])
    }
}
