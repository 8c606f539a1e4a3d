import Headroom

/// A process of this host that holds connections to the server.
public struct HostProcess: Sendable, Hashable {
    /// The process's id.
    public var id: Int32

    /// The user that it runs as.
    public var user: UInt32

    /// That user's name; `nil` when the number has none.
    public var userName: String?

    /// The program's name as the kernel keeps it.
    public var name: String

    /// The process that started it.
    public var parent: Int32

    /// The program with its arguments, without passwords.
    public var commandLine: String

    /// The systemd unit, or the container, that it belongs to.
    public var unit: String?

    /// How long it has been running; its connections are at most that old.
    public var age: Duration

    /// Its connections to the server, the oldest first as far as the kernel's numbers tell.
    public var sockets: [HostSocket]

    /// Whether it is this program or one that this program was started by, which are left alone.
    public var isOurs: Bool

    /// Whether another process runs the same command line and is no worker of the same pool.
    public var isSecondCopy: Bool

    /// Creates a process.
    public init(
        id: Int32,
        user: UInt32,
        userName: String? = nil,
        name: String = "",
        parent: Int32 = 1,
        commandLine: String,
        unit: String? = nil,
        age: Duration = .zero,
        sockets: [HostSocket] = [],
        isOurs: Bool = false,
        isSecondCopy: Bool = false
    ) {
        self.id = id
        self.user = user
        self.userName = userName
        self.name = name
        self.parent = parent
        self.commandLine = commandLine
        self.unit = unit
        self.age = age
        self.sockets = sockets
        self.isOurs = isOurs
        self.isSecondCopy = isSecondCopy
    }

    /// Whether it serves pages in a pool of PHP-FPM.
    public var isPHPPool: Bool { name.begins(with: "php-fpm") || commandLine.begins(with: "php-fpm: pool") }

    /// What it is for, where its command line tells; `nil` for others.
    public var role: String? {
        if isPHPPool { return "a page (PHP-FPM)" }
        if name.begins(with: "lsphp") || name.begins(with: "php-cgi") { return "a page" }
        let roles: [(words: [String], role: String)] = [
            (["artisan", "queue:"], "Laravel's queue worker"), (["artisan", "horizon"], "Laravel's queue worker"),
            (["artisan", "schedule:"], "Laravel's scheduler"), (["messenger:consume"], "Symfony's worker"),
            (["wp-cron.php"], "WordPress' cron"), (["wp ", "cron"], "WordPress' cron"),
            (["drush", "cron"], "Drupal's cron"),
            (["bin/magento", "cron:"], "Magento's cron"), (["mysqldump"], "a backup"), (["mariadb-dump"], "a backup"),
            (["headroom", " door"], "the door"), (["headroom", " guard"], "the guard"),
            (["headroom", " work"], "the worker"),
        ]
        return roles.first { $0.words.allSatisfy { commandLine.holds($0) } }?.role
    }

    /// The silences of its TCP connections, the longest first; a unix socket does not tell.
    public var silences: [Duration] { sockets.compactMap(\.silence).sorted(by: >) }
}

/// A process's connection to the server, seen from this host.
public struct HostSocket: Sendable, Hashable {
    /// The process's descriptor of it.
    public var descriptor: Int32

    /// What tells it from all other sockets of the host; higher ones are newer, roughly.
    public var inode: UInt64

    /// Its own address and port, which the server's process list shows; `nil` on a unix socket.
    public var local: HostPort?

    /// How long nothing has been sent or received; `nil` on a unix socket, which does not tell.
    public var silence: Duration?

    /// Whether bytes are under way on it.
    public var hasPending: Bool

    /// Whether a thread of the process sleeps until something comes from it; `nil` when that cannot be seen.
    public var isWaitedFor: Bool?

    /// Creates a socket.
    public init(
        descriptor: Int32,
        inode: UInt64,
        local: HostPort? = nil,
        silence: Duration? = nil,
        hasPending: Bool = false,
        isWaitedFor: Bool? = nil
    ) {
        self.descriptor = descriptor
        self.inode = inode
        self.local = local
        self.silence = silence
        self.hasPending = hasPending
        self.isWaitedFor = isWaitedFor
    }

    /// Whether it is a unix socket.
    public var isUnix: Bool { local == nil }

    /// Whether somebody is at work on it, as far as can be seen.
    public var isAtWork: Bool { hasPending || isWaitedFor == true }
}
