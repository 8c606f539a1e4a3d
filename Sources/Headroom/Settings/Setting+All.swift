extension Setting {
    /// Every setting, in the order of their listing.
    package static let all: [Setting] = [
        host, port, socket, server, database, username, password, url, ownURL,
        budget, reserve, frontDoor, frontDoorStatistics, hosts, share, waitTimeout, stateFolder,
        connectTimeout, closeTimeout, idleTimeout, holdWarning,
        tlsMode, tlsAuthorities, tlsPin, tlsCertificate, tlsKey, serverPublicKey,
        adminUsername, adminPassword, adminHost, adminPort, adminSocket,
        doorListen, doorMode, doorGroup, doorWait, doorAtMost, upPrograms, killIdle,
        queue, importFolders,
        alertCommand, webhook, mailTo,
        webToken,
        cache,
    ]

    package static let host = Setting(
        name: "DB_HOST",
        meaning:
            "The server's host; several with commas between are the nodes of a cluster, tried in this order. localhost means "
            + "the server's usual socket, as it does for MySQL's own tools.",
        kind: .hosts,
        standard: .value("127.0.0.1"),
        group: .database,
        trust: .place("it says where the password goes"),
        flag: "--host",
        option: "host"
    )
    package static let port = Setting(
        name: "DB_PORT",
        meaning: "The server's TCP port.",
        kind: .number(1...65_535),
        standard: .value("3306"),
        group: .database,
        trust: .place("it says where the password goes"),
        flag: "--port",
        option: "port"
    )
    package static let socket = Setting(
        name: "DB_SOCKET",
        meaning: "The server's unix socket. It wins over a host of the same source.",
        kind: .path,
        standard: .words("none", example: "/run/mysqld/mysqld.sock"),
        group: .database,
        trust: .place("it says where the password goes"),
        flag: "--socket",
        option: "socket"
    )
    package static let server = Setting(
        name: "HEADROOM_SERVER",
        meaning:
            "The server itself, for Headroom alone, where DB_HOST or DB_SOCKET name a door: the path of its socket, or HOST:PORT. "
            + "Only flags win over it.",
        kind: .text,
        standard: .words("none", example: "/run/mysqld/mysqld.sock"),
        group: .database,
        trust: .place("it says where the password goes")
    )
    package static let database = Setting(
        name: "DB_DATABASE",
        meaning: "The database.",
        kind: .text,
        standard: .words("none", example: "shop"),
        group: .database,
        trust: .harmless("the account's rights say what it reaches"),
        flag: "--database",
        option: "database"
    )
    package static let username = Setting(
        name: "DB_USERNAME",
        meaning: "The account's user name.",
        kind: .text,
        standard: .words("none: it must be set", example: "app"),
        group: .database,
        trust: .harmless("without its own password it opens nothing"),
        flag: "--user",
        option: "user"
    )
    package static let password = Setting(
        name: "DB_PASSWORD",
        meaning:
            "The account's password. Never a flag, as other users of the machine could read it; --ask-pass asks for it at "
            + "the terminal.",
        kind: .text,
        standard: .words("none", example: ""),
        group: .database,
        trust: .harmless("it opens only what it belongs to"),
        isSecret: true,
        option: "password"
    )
    package static let url = Setting(
        name: "DATABASE_URL",
        meaning:
            "All of the above in one: mysql://USER:PASSWORD@HOST:PORT/DATABASE, special characters as %XX; after a ? "
            + "socket, ssl-mode, ssl-ca and connect-timeout. A DB_ name of the same source wins over its part.",
        kind: .text,
        standard: .words("none", example: "mysql://app:PASSWORD@127.0.0.1:3306/shop"),
        group: .database,
        trust: .harmless("each part counts as the setting that it stands for"),
        isSecret: true
    )
    package static let ownURL = Setting(
        name: "HEADROOM_DATABASE_URL",
        meaning:
            "The same for Headroom alone: its parts win over the DB_ names of its source, and DATABASE_URL there is not read.",
        kind: .text,
        standard: .words("none", example: "mysql://app:PASSWORD@127.0.0.1:3306/shop"),
        group: .database,
        trust: .harmless("each part counts as the setting that it stands for"),
        isSecret: true
    )

    package static let budget = Setting(
        name: "HEADROOM_BUDGET",
        meaning:
            "The most connections that all programs of this host may hold together. Of several the smallest holds.",
        kind: .number(1...mostConnections),
        standard: .words("the account's limit minus the reserve", example: "4"),
        group: .budget,
        trust: .harmless("a number, and the account's limit holds all the same")
    )
    package static let reserve = Setting(
        name: "HEADROOM_RESERVE",
        meaning: "How many connections of the limit are left free, so that a person can still get in.",
        kind: .number(0...mostConnections),
        standard: .value("1"),
        group: .budget,
        trust: .harmless("a number, and the account's limit holds all the same")
    )
    package static let frontDoor = Setting(
        name: "HEADROOM_FRONT_DOOR",
        meaning: "How many connections of the limit belong to the front door; they are taken out of the budget.",
        kind: .number(0...mostConnections),
        standard: .value("0"),
        group: .budget,
        trust: .harmless("a number, and the account's limit holds all the same")
    )
    package static let frontDoorStatistics = Setting(
        name: "HEADROOM_FRONT_DOOR_STATS",
        meaning: "The front door's socket for statistics, so that status counts what comes through it.",
        kind: .absolutePath,
        standard: .words("none", example: "/run/haproxy/admin.sock"),
        group: .budget,
        trust: .pathOrCommand("it is a socket that is connected to and believed"),
        readBy: ["status", "serve"]
    )
    package static let hosts = Setting(
        name: "HEADROOM_HOSTS",
        meaning:
            "How many hosts share the account, when they share it out between them; the same number and database on each.",
        kind: .number(2...mostConnections),
        standard: .words("this host is the only one", example: "3"),
        group: .budget,
        trust: .harmless("a number, and the account's limit holds all the same")
    )
    package static let share = Setting(
        name: "HEADROOM_SHARE",
        meaning:
            "How many connections are always this host's. Without HEADROOM_HOSTS it is all that this host may hold.",
        kind: .number(1...mostConnections),
        standard: .words("none", example: "3"),
        group: .budget,
        trust: .harmless("a number, and the account's limit holds all the same")
    )
    package static let waitTimeout = Setting(
        name: "HEADROOM_WAIT_TIMEOUT",
        meaning: "How long to wait for a slot of the budget, and for a full account to let one in.",
        kind: .duration(atLeastMilliseconds: 1),
        standard: .value("30"),
        group: .budget,
        trust: .harmless("a time")
    )
    package static let stateFolder = Setting(
        name: "HEADROOM_STATE_DIR",
        meaning:
            "The folder in which the programs of this host share the budget. All users of an account must name the "
            + "same one; not on NFS.",
        kind: .absolutePath,
        standard: .words(
            "/run/headroom where it exists, else headroom in the user's state folder",
            example: "/run/headroom"
        ),
        group: .budget,
        trust: .pathOrCommand("it is a folder in which files are made, and whose files are believed")
    )

    package static let connectTimeout = Setting(
        name: "HEADROOM_CONNECT_TIMEOUT",
        meaning: "How long opening a connection may take, name resolution, TLS and login included.",
        kind: .duration(atLeastMilliseconds: 1),
        standard: .value("30"),
        group: .times,
        trust: .harmless("a time"),
        option: "connect_timeout"
    )
    package static let closeTimeout = Setting(
        name: "HEADROOM_CLOSE_TIMEOUT",
        meaning: "How long closing waits for the server to hang up. Later, the session is watched in the background.",
        kind: .duration(atLeastMilliseconds: 1),
        standard: .value("5"),
        group: .times,
        trust: .harmless("a time")
    )
    package static let idleTimeout = Setting(
        name: "HEADROOM_IDLE_TIMEOUT",
        meaning: "How long the server lets one of Headroom's sessions do nothing before it ends it. Whole seconds.",
        kind: .duration(atLeastMilliseconds: 1_000),
        standard: .value("300"),
        group: .times,
        trust: .harmless("a time")
    )
    package static let holdWarning = Setting(
        name: "HEADROOM_HOLD_WARNING",
        meaning: "From when on a connection counts as held too long, and is logged, counted and shown.",
        kind: .duration(atLeastMilliseconds: 1),
        standard: .words("never", example: "60"),
        group: .times,
        trust: .harmless("a time")
    )

    package static let tlsMode = Setting(
        name: "HEADROOM_TLS_MODE",
        meaning:
            "How much encryption is asked for; the words are MySQL's. Only verify_ca and verify_identity check who the "
            + "server is.",
        kind: .word(TLS.Mode.allCases.map(\.rawValue)),
        standard: .words(
            "disabled on a socket, and preferred there with HEADROOM_TLS_CERT; over TCP preferred, required with "
                + "HEADROOM_TLS_CERT, and verify_ca with HEADROOM_TLS_CA",
            example: "verify_identity"
        ),
        group: .encryption,
        trust: .place("it says how the password is guarded on its way"),
        option: "ssl_mode"
    )
    package static let tlsAuthorities = Setting(
        name: "HEADROOM_TLS_CA",
        meaning: "The file, or folder of hashed certificates, with the authorities to trust.",
        kind: .path,
        standard: .words("the system's", example: "/etc/ssl/certs/ca-certificates.crt"),
        group: .encryption,
        trust: .place("it says to whom the password is shown"),
        option: "ssl_ca"
    )

    package static let tlsPin = Setting(
        name: "HEADROOM_TLS_PIN",
        meaning:
            "The key of the server's certificate, as curl has it; several with ; between. With it connections are encrypted "
            + "and reach this server, or fail.",
        kind: .pins,
        standard: .words(
            "none: the key is remembered when it is first seen",
            example: "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
        ),
        group: .encryption,
        trust: .place("it says to whom the password is shown")
    )

    package static let tlsCertificate = Setting(
        name: "HEADROOM_TLS_CERT",
        meaning: "The file with this client's certificate, for an account that must show one (REQUIRE X509).",
        kind: .path,
        standard: .words("none", example: "/etc/headroom/client-cert.pem"),
        group: .encryption,
        trust: .place("it says who this client is"),
        option: "ssl_cert"
    )
    package static let tlsKey = Setting(
        name: "HEADROOM_TLS_KEY",
        meaning: "The file with the key of that certificate.",
        kind: .path,
        standard: .words("the certificate's file", example: "/etc/headroom/client-key.pem"),
        group: .encryption,
        trust: .place("it says who this client is"),
        option: "ssl_key"
    )

    package static let serverPublicKey = Setting(
        name: "HEADROOM_SERVER_PUBLIC_KEY",
        meaning:
            "The file with a MySQL server's public key (public_key.pem), for logins without encryption: no other gets the "
            + "password.",
        kind: .path,
        standard: .words(
            "none: the key is remembered when it is first seen",
            example: "/etc/headroom/public_key.pem"
        ),
        group: .encryption,
        trust: .place("it says to whom the password is shown"),
        option: "server_public_key_path"
    )

    package static let adminUsername = Setting(
        name: "HEADROOM_ADMIN_USERNAME",
        meaning: "A second account, for when the first one is full.",
        kind: .text,
        standard: .words("none", example: "headroom_monitor"),
        group: .secondAccount,
        trust: .harmless("without its own password it opens nothing"),
        readBy: ["rescue", "verify"]
    )
    package static let adminPassword = Setting(
        name: "HEADROOM_ADMIN_PASSWORD",
        meaning: "Its password.",
        kind: .text,
        standard: .words("DB_PASSWORD", example: ""),
        group: .secondAccount,
        trust: .harmless("it opens only what it belongs to"),
        readBy: ["rescue", "verify"],
        isSecret: true
    )
    package static let adminHost = Setting(
        name: "HEADROOM_ADMIN_HOST",
        meaning: "Where it logs in, if elsewhere.",
        kind: .host,
        standard: .words("the database's host", example: "127.0.0.1"),
        group: .secondAccount,
        trust: .place("it says where the password goes"),
        readBy: ["rescue", "verify"]
    )
    package static let adminPort = Setting(
        name: "HEADROOM_ADMIN_PORT",
        meaning: "The port there: MariaDB's extra_port or MySQL's admin_port, which are open when the server is full.",
        kind: .number(1...65_535),
        standard: .words("the database's port", example: "33062"),
        group: .secondAccount,
        trust: .place("it says where the password goes"),
        readBy: ["rescue", "verify"]
    )
    package static let adminSocket = Setting(
        name: "HEADROOM_ADMIN_SOCKET",
        meaning: "The socket there; it wins over the host.",
        kind: .path,
        standard: .words("the database's socket", example: "/run/mysqld/mysqld.sock"),
        group: .secondAccount,
        trust: .place("it says where the password goes"),
        readBy: ["rescue", "verify"]
    )

    package static let doorListen = Setting(
        name: "HEADROOM_DOOR_LISTEN",
        meaning: "Where the door listens: paths of sockets, or ports of this host, with commas between.",
        kind: .text,
        standard: .words("nowhere", example: "/home/shop/headroom.sock"),
        group: .running,
        trust: .pathOrCommand("it makes a file, and lets programs in"),
        readBy: ["door", "up"],
        flag: "--listen"
    )
    package static let doorMode = Setting(
        name: "HEADROOM_DOOR_MODE",
        meaning: "The rights to the door's socket files, in octal digits.",
        kind: .text,
        standard: .value("660"),
        group: .running,
        trust: .pathOrCommand("it lets programs in"),
        readBy: ["door", "up"],
        flag: "--mode"
    )
    package static let doorGroup = Setting(
        name: "HEADROOM_DOOR_GROUP",
        meaning: "The group of the door's socket files.",
        kind: .text,
        standard: .words("the user's own", example: "www-data"),
        group: .running,
        trust: .pathOrCommand("it lets programs in"),
        readBy: ["door", "up"],
        flag: "--group"
    )
    package static let doorWait = Setting(
        name: "HEADROOM_DOOR_WAIT",
        meaning: "How long a client of the door waits for a place before it is told that there is none.",
        kind: .duration(atLeastMilliseconds: 1),
        standard: .value("5"),
        group: .running,
        trust: .harmless("a time"),
        readBy: ["door", "up"],
        flag: "--wait"
    )
    package static let doorAtMost = Setting(
        name: "HEADROOM_DOOR_AT_MOST",
        meaning: "How many sessions the programs whose names begin so may have at once, with commas between.",
        kind: .text,
        standard: .words("as many as there are places", example: "php-fpm:3"),
        group: .running,
        trust: .harmless("a number, and the budget holds all the same"),
        readBy: ["door", "up"],
        flag: "--at-most"
    )
    package static let upPrograms = Setting(
        name: "HEADROOM_UP",
        meaning: "What 'headroom up' keeps running: door, guard and work, with commas between.",
        kind: .text,
        standard: .words(
            "the guard, the door where HEADROOM_DOOR_LISTEN is set, and the worker where HEADROOM_QUEUE or "
                + "HEADROOM_IMPORT_DIRS is",
            example: "door,guard"
        ),
        group: .running,
        trust: .pathOrCommand("it starts programs"),
        readBy: ["up"]
    )
    package static let killIdle = Setting(
        name: "HEADROOM_KILL_IDLE",
        meaning: "After how long asleep the guard ends a session, while the account is nearly full.",
        kind: .duration(atLeastMilliseconds: 1_000),
        standard: .words("it ends none", example: "300"),
        group: .running,
        trust: .pathOrCommand("it ends sessions"),
        readBy: ["guard", "up"],
        flag: "--auto-kill-idle"
    )

    package static let queue = Setting(
        name: "HEADROOM_QUEUE",
        meaning: "The queue's name on this host, where two applications have databases of one name.",
        kind: .text,
        standard: .words("the server's host and the database", example: "shop"),
        group: .queue,
        trust: .harmless("a name, and one that leads out of its folder is refused"),
        readBy: ["work", "jobs", "import", "verify"],
        flag: "--queue"
    )

    package static let importFolders = Setting(
        name: "HEADROOM_IMPORT_DIRS",
        meaning:
            "The folders in which the files lie that jobs may name, with : between them. Nothing else is read for a job, or "
            + "deleted with one.",
        kind: .absolutePath,
        standard: .words(
            "none: files named .csv, .tsv or .txt are read, and none deleted but the dashboard's uploads",
            example: "/var/www/app/storage/uploads"
        ),
        group: .queue,
        trust: .pathOrCommand("what lies in these folders is read for a job, and deleted with one"),
        readBy: ["work", "jobs", "import", "serve"]
    )

    package static let alertCommand = Setting(
        name: "HEADROOM_ALERT_COMMAND",
        meaning: "What the shell runs when the guard has something to say, or a job has failed for good.",
        kind: .text,
        standard: .words("none", example: "logger -t headroom \"$HEADROOM_MESSAGE\""),
        group: .alerts,
        trust: .pathOrCommand("the shell runs it"),
        readBy: ["guard", "work"],
        flag: "--alert-command"
    )
    package static let webhook = Setting(
        name: "HEADROOM_WEBHOOK",
        meaning: "Where each alert is posted as JSON: the guard's, and of a job that has failed for good.",
        kind: .text,
        standard: .words("none", example: "https://alerts.example.org/headroom"),
        group: .alerts,
        trust: .pathOrCommand("alerts are sent there"),
        readBy: ["guard", "work"],
        isSecret: true,
        flag: "--webhook"
    )
    package static let mailTo = Setting(
        name: "HEADROOM_MAIL_TO",
        meaning: "To whom each alert is mailed: the guard's, and of a job that has failed for good.",
        kind: .text,
        standard: .words("nobody", example: "ops@example.org"),
        group: .alerts,
        trust: .pathOrCommand("alerts are sent there"),
        readBy: ["guard", "work"],
        flag: "--mail-to"
    )

    package static let webToken = Setting(
        name: "HEADROOM_WEB_TOKEN",
        meaning: "Who has it may sign in to the dashboard, and use its API as Authorization: Bearer.",
        kind: .text,
        standard: .words("none: a run on the loopback address makes one and prints it", example: "a-long-random-text"),
        group: .dashboard,
        trust: .pathOrCommand("who knows it is let in"),
        readBy: ["serve"],
        isSecret: true
    )

    package static let cache = Setting(
        name: "HEADROOM_CACHE",
        meaning:
            "The folder in which the sandbox keeps a freshly installed data folder. Read from the environment only.",
        kind: .path,
        standard: .words("headroom in the user's cache folder", example: "/var/cache/headroom"),
        group: .sandbox,
        trust: .pathOrCommand("it is a folder whose content a server is started with"),
        readBy: ["sandbox"]
    )
}

extension Setting {
    /// Names that Headroom gives to the programs it starts: no settings, and no mistake where they are found.
    package static let handed: [(name: String, meaning: String)] = [
        ("HEADROOM_SLOTS", "run: how many slots the command has"),
        ("HEADROOM_SANDBOX_ADMIN_SOCKET", "sandbox: where its administrator comes in"),
        ("HEADROOM_UP_PIPE", "up: by which what it starts hears that it has gone"),
        ("HEADROOM_UP_SOCKETS", "up: the sockets that the door takes over"),
        ("HEADROOM_JOB_ID", "work, alert command: the job"),
        ("HEADROOM_JOB_FILE", "work, alert command: its file"),
        ("HEADROOM_JOB_REASON", "work, alert command: why it failed"),
        ("HEADROOM_LEVEL", "guard, alert command: the level"),
        ("HEADROOM_ALERT", "guard and work, alert command: what the alert is about"),
        ("HEADROOM_CHANGE", "guard, alert command: raised or recovered"),
        ("HEADROOM_SUBJECT", "guard, alert command: the alert in a few words"),
        ("HEADROOM_MESSAGE", "guard and work, alert command: what happened"),
        ("HEADROOM_ADVICE", "guard and work, alert command: what to do"),
        ("HEADROOM_USED", "guard, alert command: connections in use"),
        ("HEADROOM_LIMIT", "guard, alert command: the account's limit"),
        ("HEADROOM_ACCOUNT", "guard and work, alert command: the account"),
        ("HEADROOM_HOSTNAME", "guard and work, alert command: this host's name"),
        ("HEADROOM_TIME", "guard and work, alert command: when"),
    ]

    /// Every name that counts as a setting, with those of files that hold one.
    package static let names: [String] = all.flatMap { [$0.name, $0.fileName].compactMap(\.self) }

    /// Whether a name looks like a setting of Headroom's and is none.
    static func isUnknown(_ name: String, _ value: String = "") -> Bool {
        name.hasPrefix("HEADROOM_") && !name.hasPrefix("HEADROOM_TEST_") && !known.contains(name)
            && !isOfKubernetes(name, value)
    }

    /// A name as it can be shown: where the sign of equality was forgotten, a part of a value hangs on.
    static func shownName(_ name: String) -> String {
        let secret = all.first { $0.isSecret && name.utf8.count > $0.name.utf8.count && name.begins(with: $0.name) }
        if let secret { return "A name that begins with \(secret.name)" }
        let isPlain = name.unicodeScalars.allSatisfy { ("A"..."Z").contains($0) || $0.isDigit || $0 == "_" }
        return isPlain && name.utf8.count <= 60 ? name : "A name that begins with HEADROOM_"
    }

    /// Whether Kubernetes, or Docker's links, have set the variable for a service that is called headroom or headroom-...
    private static func isOfKubernetes(_ name: String, _ value: String) -> Bool {
        if name.hasSuffix("_SERVICE_HOST") || name.hasSuffix("_SERVICE_PORT") || name.holds("_SERVICE_PORT_") {
            return true
        }
        return name.hasSuffix("_PORT") && value.holds("://")
            || name.holds("_PORT_") && (name.holds("_TCP") || name.holds("_UDP"))
    }

    /// Whether a misspelt name of it would do harm: the connection would be less guarded, or others' places taken.
    var isGuarding: Bool {
        group == .encryption || [.budget, .reserve, .hosts, .share, .frontDoor, .stateFolder].contains(self)
    }

    private static let known = Set(names).union(handed.map(\.name))
}
