import CommandSupport
import Headroom

extension Topic {
    static let limits = Topic(
        "limits",
        "which of the five limits refused me?",
        text: """
            Five limits can refuse a connection. The error's number says which:

              1226  max_user_connections    this account's own limit
              1203  (the same name)         the server's limit for any one user
              1040  max_connections         the whole server's, of all accounts
              1226  max_..._per_hour        logins or statements of this hour are used up
              1129                          this host is blocked after broken connections

            'headroom status' shows the limit in force and where it comes from. An account's
            own option wins over the server's max_user_connections; where neither is set,
            max_connections is what all accounts share.

            A connection counts until the server has let its session go, not until the
            client has closed it. So a program that closes and opens at once can be refused
            by its own last connection. Headroom's close waits for the server.

            In full: docs/limits.md
            """
    )

    static let lifecycle = Topic(
        "lifecycle",
        "from opening to the server's hanging up",
        text: """
            A scope (withConnection, or a command of this program)

              1. waits for a slot of the budget, first come, first served;
              2. opens a connection and tells the server when to end it if it is left idle;
              3. runs its statements;
              4. closes: says goodbye, and waits until the server has hung up;
              5. gives the slot back.

            It closes on every path: return, error, cancellation, deadline. A statement that
            is given up is ended on the server by a KILL through the reserve; closing the
            socket alone would leave it running.

            Keep connections open between scopes only where a program opens many in a row.
            A worker that waits for jobs should hold none.

            In full: docs/lifecycle.md
            """
    )

    static let lockedOut = Topic(
        "locked-out",
        "nothing can connect: what to do now, in order",
        text: """
            1. headroom rescue
               Changes nothing. Says which limit refused, who on this host holds the
               connections, for how long they have been silent, and which other ways in
               there are.

            2. headroom rescue --hang-up-idle 300 --yes
               Frees one place: hangs up the connection that is least likely at work,
               takes its place, and ends the sessions that the server lists as idle.
               Without --yes it only says what it would do.

            3. headroom rescue --terminate PID --yes
               Asks a program to end, when it is clear which one is at fault.

            4. Restart the application's process manager, or ask an administrator; the
               advice at the end of the output has the commands and statements.

            Afterwards: headroom status, headroom guard, and a place left free
            (HEADROOM_RESERVE).

            In full: docs/locked-out.md
            """
    )

    static let slots = Topic(
        "slots",
        "one budget for all programs of a host",
        text: """
            The budget is the account's limit minus the reserve (HEADROOM_RESERVE, 1), for
            all programs of this host together. A slot is one unit of it. A connection takes
            its slot before it opens, and gives it back when the server has let it go. The
            kernel gives a dead process's slots back.

              headroom slots                              who holds them, who waits
              headroom run --slots 1 -- php import.php    any program within the budget

            All users must share one folder: /run/headroom, or HEADROOM_STATE_DIR. For web
            server and cron under two users:

              install -d -m 2770 -g GROUP /run/headroom

            'headroom slots --help' has the command's options. In full: docs/slots.md
            """
    )

    static let cron = Topic(
        "cron",
        "running from cron",
        text: """
            One line for all that the settings name (door, guard, worker):

              * * * * * headroom up --quiet --env-file /srv/app/.env

            or each by itself, every minute, silent when all is well:

              * * * * * headroom work --once --quiet --env-file /srv/app/.env
              * * * * * headroom guard --once --env-file /srv/app/.env
              * * * * * headroom run --lock import --slots 1 -- php import.php

            A second start while the first still works ends at once: no flock is needed.
            'run' then exits with 75, 'work' with 0. cron's PATH is short and its working
            directory is the home: write whole paths, and name the settings with --env-file.
            Use cron or the service for a worker, not both.

            In full: docs/running.md
            """
    )

    static let systemd = Topic(
        "systemd",
        "running as a service",
        text: """
            The worker and the guard are services of Type=notify:

              [Service]
              Type=notify
              ExecStart=/usr/bin/headroom work --env-file /etc/headroom/headroom.env
              WatchdogSec=60
              Restart=on-failure
              RestartSec=5
              LoadCredential=headroom-db-password:/etc/headroom/db-password

            READY, STATUS and the watchdog are told to systemd while the loop goes on. A
            SIGTERM stores the chunk in hand, gives the job back and ends within seconds.

            In full: docs/running.md
            """
    )

    static let settings = Topic(
        "settings",
        "every setting, and where they come from"
    ) {
        [
            "The first source that has a value wins: flags, the environment, systemd's",
            "credentials, --env-file, --defaults-file or --defaults-extra-file, .env in",
            "the working directory.",
            "'headroom config show' says what is in force and where it comes from.",
            "",
        ] + SettingsListing.lines
    }

    static let errors = Topic(
        "errors",
        "every error, and its cure"
    ) {
        ErrorsPage.lines
    }

    static let exitCodes = Topic(
        "exit-codes",
        "what the exit codes mean",
        text: """
            status, guard --once   0 OK, 1 CAUTION (over 60 %), 2 WARNING (over 80 %) or
                                   EXHAUSTED, 3 UNKNOWN: as monitoring plugins exit
            run                    the command's own; 75 when it was not started, because
                                   the lock or the slots could not be had in time
            work --once            0, also when another worker is at work; 1: a job failed
            rescue                 0 when the account can be used again, else 1
            doctor                 0
            every other command    0, or 1 when something failed
            all of them            64 for a wrong flag; 74 when a result cannot be written;
                                   130 and 143 after Ctrl-C and SIGTERM

            In full: docs/errors.md
            """
    )
}

/// A subject that `headroom help TOPIC` explains in a screen or two.
struct Topic: Sendable {
    /// The word to ask for it by.
    var name: String

    /// What it is about, for the list.
    var about: String

    /// The lines, each of 80 columns at most.
    ///
    /// Written when somebody reads them: every start of the command names the topics, and all their texts together took a
    /// fifth of the time of `headroom status`.
    var lines: [String] { write() }
    private let write: @Sendable () -> [String]

    init(_ name: String, _ about: String, text: @autoclosure @escaping @Sendable () -> String) {
        self.init(name, about) {
            text().pieces(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        }
    }

    init(_ name: String, _ about: String, lines: @escaping @Sendable () -> [String]) {
        self.name = name
        self.about = about
        write = lines
    }

    /// All topics.
    static let all: [Topic] = [
        limits, lifecycle, lockedOut, slots, cron, systemd, settings, errors, exitCodes,
    ]
}
