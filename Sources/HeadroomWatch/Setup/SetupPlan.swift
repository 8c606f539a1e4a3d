package import Headroom

/// Decides what is to be done for an application to be served within its account's limit, by a user who is not root.
package struct SetupPlan: Sendable {
    /// What was found.
    package struct Found: Sendable {
        /// The application's kind.
        package var kind: Application
        /// Its folder.
        package var folder: String
        /// The account, and where its server is.
        package var settings: DatabaseSettings
        /// The file that says where the server is; `nil` when that is not one that is known.
        package var file: (path: String, bytes: [UInt8], isURL: Bool)?
        /// The account's limit, as far as it is known.
        package var limit: Int?
        /// Whether the server is a MySQL.
        package var isMySQL = false
        /// Whether the database has an import queue.
        package var hasQueue = false
        /// As which user the pages run.
        package var pages = PagesUser.own
        /// The pools of PHP-FPM.
        package var pools: [PHPPool] = []
        /// Whether this user has a crontab.
        package var hasCron = false
        /// The user's name and home.
        package var user = ""
        package var home = ""
        /// Whether every user may go through the home.
        package var isHomeOpen = false
        /// A port of this host that nobody listens at.
        package var freePort = 3307
        /// This program.
        package var program = ""
        /// The folder that the programs of this host share.
        package var stateFolder = ""

        /// Creates what was found of an application.
        package init(kind: Application, folder: String, settings: DatabaseSettings) {
            (self.kind, self.folder, self.settings) = (kind, folder, settings)
        }
    }

    /// What its user chooses.
    package struct Wishes: Sendable {
        /// Where Headroom's settings are to be; `nil` for `headroom.env` in the home.
        package var settingsFile: String?
        /// Where the door is to listen; `nil` for `headroom.sock` in the home, or a port.
        package var door: String?
        /// How many connections it may hold; `nil` for the limit but for one.
        package var budget: Int?
        /// Whether the application is to be changed.
        package var changesApplication = true

        /// Creates the usual ones.
        package init() {}
    }

    /// A step; they are done in their order, and undone in the reverse.
    package enum Step: Sendable, Hashable, Codable {
        /// Write Headroom's settings.
        case writeSettings(path: String, text: String)
        /// Start `headroom up`.
        case startUp(program: String, settings: String)
        /// Log in through the door.
        case logIn(door: String)
        /// Add lines to this user's crontab.
        case addToCrontab(lines: [String])
        /// Change the application.
        case changeApplication(ApplicationEdit)
    }

    /// The steps.
    package var steps: [Step] = []

    /// What its user should know beforehand.
    package var notes: [String] = []

    /// What is left to do by hand.
    package var byHand: [String] = []

    /// Where the application is to go.
    package var door = Endpoint.socket(path: "")

    /// Makes the plan.
    ///
    /// - Throws: ``DatabaseError`` where there can be none, with what to do instead.
    package init(_ found: Found, _ wishes: Wishes = Wishes()) throws(DatabaseError) {
        let settings = found.settings
        let path = wishes.settingsFile ?? "\(found.home)/headroom.env"
        try Self.check(found, path)
        door = try Self.door(found, wishes)
        let listen: String
        switch door {
        case .socket(let path): listen = path
        case .tcp(_, let port): listen = "\(port)"
        }
        if settings.endpoint == door {
            throw Self.refusal(
                "The application in \(found.folder) goes to \(listen) already, where the door is to listen.",
                "'headroom setup --undo' takes everything back, 'headroom status --env-file \(path)' shows how it is."
            )
        }
        var text = """
            # Headroom's settings, written by 'headroom setup' for \(found.folder). 'headroom config list' explains every name.
            # The server itself, past the door, and who logs in; special characters as %XX. When the password is changed, change
            # it here too.
            HEADROOM_DATABASE_URL=\(Self.url(settings))
            # Where the application connects, and who may: the password is asked for all the same.
            HEADROOM_DOOR_LISTEN=\(listen)
            HEADROOM_DOOR_MODE=\(found.pages == .own ? "600" : "666")
            # What 'headroom up' keeps running.
            HEADROOM_UP=door,guard\(found.hasQueue ? ",work" : "")
            # Where all programs of this host share the account's places.
            HEADROOM_STATE_DIR=\(found.stateFolder)

            """
        if let budget = wishes.budget {
            text += "# How many connections all of them may hold together.\nHEADROOM_BUDGET=\(budget)\n"
        }
        steps = [
            .writeSettings(path: path, text: text),
            .startUp(program: found.program, settings: path),
            .logIn(door: listen),
        ]
        let lines = Self.crontab(found, path)
        if found.hasCron {
            steps.append(.addToCrontab(lines: lines))
        } else {
            byHand.append(
                "There is no crontab here. In the panel, have this run every minute: \(Self.command(found, path))"
            )
        }
        planChange(found, wishes)
        arithmetic(found, wishes)
    }

    // MARK: What cannot be

    private static func refusal(_ message: String, _ advice: String) -> DatabaseError {
        DatabaseError(.settingsInvalid, message: message, advice: advice)
    }

    private static func check(_ found: Found, _ path: String) throws(DatabaseError) {
        let settings = found.settings
        if settings.password.isEmpty {
            throw refusal(
                "The account '\(settings.username)' has no password in the settings of \(found.folder).",
                "Give it one: whoever reaches a door before such an account would be let in."
            )
        }
        if ![TLS.Mode.disabled, .preferred].contains(settings.tls.mode), !settings.endpoint.isSocket {
            throw refusal(
                "The application in \(found.folder) reaches its server over TLS, which what goes through a door is not.",
                "See docs/locked-out.md, and 'headroom run' for workers; the door is for servers of the same host."
            )
        }
        // What lies there may be asked for by its name.
        let isApart = found.kind == .laravel || found.kind == .symfony
        let shown = isApart ? "\(found.folder)/public" : found.folder
        if path.pieces(separator: "/").starts(with: shown.pieces(separator: "/")) {
            throw refusal(
                "\(path) would lie in \(shown), which a web server may show to everybody, with the password in it.",
                "Name another place with --settings, outside of that folder."
            )
        }
    }

    /// Where the door is to listen.
    private static func door(_ found: Found, _ wishes: Wishes) throws(DatabaseError) -> Endpoint {
        func place(_ text: String) throws(DatabaseError) -> Endpoint {
            if text.begins(with: "/") {
                guard text.utf8.count < 100, text.unicodeScalars.allSatisfy({ $0.isNameSign || $0 == "/" }) else {
                    throw refusal(
                        "\(text) cannot be the place of the door: it is too long, or has other signs than letters, digits, . - and _.",
                        "Name another with --door, or a port such as 3307."
                    )
                }
                return .socket(path: text)
            }
            guard let port = Int(text), (1024...65_535).contains(port) else {
                throw refusal(
                    "--door is '\(text)'.",
                    "Name the path of a socket from the root folder on, or a port from 1024 on."
                )
            }
            return .tcp(host: "127.0.0.1", port: port)
        }
        if let door = wishes.door { return try place(door) }
        // MySQL's usual way to log in asks each side whether it may send the password: both of one kind.
        let isOverTCP = found.isMySQL && !found.settings.endpoint.isSocket
        // Another user cannot go through a home that is closed to others.
        let isClosed = found.pages != .own && !found.isHomeOpen
        return try place(isOverTCP || isClosed ? "\(found.freePort)" : "\(found.home)/headroom.sock")
    }

    // MARK: Text

    private static func url(_ settings: DatabaseSettings) -> String {
        func encoded(_ text: String) -> String {
            PercentEncoding.encoded(text) { Unicode.Scalar($0).isNameSign }
        }
        let login = "\(encoded(settings.username)):\(encoded(settings.password))"
        let database = settings.database.map(encoded) ?? ""
        switch settings.endpoint {
        case .socket(let path):
            let socket = PercentEncoding.encoded(path) { Unicode.Scalar($0).isNameSign || $0 == UInt8(ascii: "/") }
            return "mysql://\(login)@localhost/\(database)?socket=\(socket)"
        case .tcp(let host, let port):
            return "mysql://\(login)@\(host.holds(":") ? "[\(host)]" : host):\(port)/\(database)"
        }
    }

    private static func command(_ found: Found, _ path: String) -> String {
        "\(Escaping.shell(found.program)) up --quiet --env-file \(Escaping.shell(path))"
    }

    /// The lines of the crontab; the first tells whose the second is.
    private static func crontab(_ found: Found, _ path: String) -> [String] {
        [
            "# Headroom for \(found.folder); 'headroom setup --undo --settings \(path)' takes it away",
            // A bare % would end the command there.
            "* * * * * \(command(found, path).replaced("%", with: "\\%"))",
        ]
    }

    private mutating func planChange(_ found: Found, _ wishes: Wishes) {
        var reason = "it is not to be changed"
        if wishes.changesApplication, let file = found.file {
            do throws(ApplicationEdit.Obstacle) {
                let edit = try ApplicationEdit(
                    file.bytes,
                    path: file.path,
                    kind: found.kind,
                    isURL: file.isURL,
                    to: door
                )
                return steps.append(.changeApplication(edit))
            } catch {
                reason = error.reason
            }
        }
        byHand.append("Send \(found.kind.rawValue) through the door (\(reason)): \(Self.instruction(found.kind, door))")
    }

    /// The change in words, as each kind of application has it.
    package static func instruction(_ kind: Application, _ door: Endpoint) -> String {
        switch (door, kind) {
        case (.socket(let path), .bedrock): "DB_HOST='localhost:\(path)'"
        case (.socket(let path), .wordPress): "define('DB_HOST', 'localhost:\(path)');"
        case (.socket(let path), .laravel), (.socket(let path), .other): "DB_SOCKET=\(path)"
        case (.socket(let path), .symfony): "in DATABASE_URL the host localhost, and ?unix_socket=\(path) at the end"
        case (.socket(let path), .drupal): "'host' => 'localhost', 'unix_socket' => '\(path)' in $databases"
        case (.socket(let path), .magento): "'host' => 'localhost', 'unix_socket' => '\(path)' of the connection"
        case (.socket(let path), .joomla): "public $host = 'localhost:\(path)';"
        case (.tcp(let host, let port), .wordPress): "define('DB_HOST', '\(host):\(port)');"
        case (.tcp(let host, let port), .symfony): "in DATABASE_URL \(host):\(port)"
        case (.tcp(let host, let port), _): "the host \(host) and the port \(port)"
        }
    }

    /// How the limit is divided, and what PHP-FPM is set to.
    private mutating func arithmetic(_ found: Found, _ wishes: Wishes) {
        guard let limit = found.limit else {
            return notes.append(
                "The account's limit is not known yet: the door learns it at its first login, and leaves one place for a person."
            )
        }
        let budget = wishes.budget ?? max(1, limit - 1)
        notes.append(
            "The account may hold \(limit) connections: \(budget) for pages and workers, which wait in one line, "
                + (limit > budget ? "and \(limit - budget) for a person." : "and none for a person.")
        )
        var pagesUser = found.user
        if case .other(let name) = found.pages { pagesUser = name }
        let pools = found.pools.filter { $0.user == pagesUser && !pagesUser.isEmpty }
        guard let pool = pools.first, let processes = pool.processes else { return }
        if processes > 4 * budget {
            notes.append(
                "PHP may serve \(processes) pages at once (pm.max_children in \(pool.path)); \(2 * budget) to \(4 * budget) are "
                    + "enough: those beyond the places wait."
            )
        } else {
            notes.append("PHP may serve \(processes) pages at once (pm.max_children in \(pool.path)): that fits.")
        }
    }
}
