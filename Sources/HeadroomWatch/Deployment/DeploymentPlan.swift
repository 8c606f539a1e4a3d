import Headroom

/// The cron lines and units that are right for a host.
package struct DeploymentPlan: Sendable {
    /// The program's path.
    package var program: String

    /// The file that settings come from.
    package var settingsFile: String

    /// As which user it runs; `nil` for the one whose crontab or service manager it is.
    package var user: String?

    /// The folders that it writes to.
    package var writable: [String]

    /// Whether there is an import queue, which needs a worker.
    package var hasQueue: Bool

    /// Creates a plan.
    package init(program: String, settingsFile: String, user: String?, writable: [String], hasQueue: Bool) {
        self.program = program
        self.settingsFile = settingsFile
        self.user = user
        self.writable = writable
        self.hasQueue = hasQueue
    }

    /// A file to be made.
    package struct File: Sendable, Hashable, Encodable {
        /// Its path.
        package var path: String
        /// Its text.
        package var text: String

        /// What is said to start something by it: the unit, also where this is only a part of it, or the crontab.
        package var source: String {
            let unit = path.pieces(separator: "/").first { $0.ends(with: ".service") || $0.ends(with: ".service.d") }
            return unit?.replaced(".service.d", with: ".service") ?? path
        }
    }

    /// What stands for the path of a user's own crontab.
    package static let ownCrontab = "crontab -e"

    /// The crontab: one for `/etc/cron.d` when it names a user, else lines for that user's own.
    package var crontab: File {
        let owner = user.map { "\($0) " } ?? ""
        func line(_ command: String) -> String {
            // A bare % would end the command there.
            "* * * * * \(owner)\(Escaping.shell(program)) \(command) --env-file \(Escaping.shell(settingsFile))"
                .replaced("%", with: "\\%")
        }
        return File(
            path: user == nil ? Self.ownCrontab : "/etc/cron.d/headroom",
            text: """
                # Headroom, every minute: \(hasQueue ? "the worker imports what is queued, " : "")the guard looks at the account. What goes
                # wrong is printed, which cron mails. A round that is still at work lets the next one go by.
                \(hasQueue ? line("work --once --quiet") + "\n" : "")\(line("guard --once"))

                """
        )
    }

    /// The units, or only what differs from those that the package has installed.
    ///
    /// - Parameter installed: The names of the units that are there already.
    /// - Returns: The files to be made.
    package func units(installed: Set<String>) -> [File] {
        let folder = user == nil ? "~/.config/systemd/user" : "/etc/systemd/system"
        let worker = ("headroom-worker", "work --wait-for-lock", "imports the files that wait in the queue", "90")
        let guardian = ("headroom-guard", "guard", "watches the account's connections", "30")
        return (hasQueue ? [worker, guardian] : [guardian])
            .map { name, command, purpose, patience in
                let start =
                    "ExecStart=\(Escaping.systemd(program)) \(command) --env-file \(Escaping.systemd(settingsFile))"
                let owner = user.map { "User=\($0)\n" } ?? ""
                guard !installed.contains("\(name).service") else {
                    return File(
                        path: "\(folder)/\(name).service.d/headroom.conf",
                        text: """
                            # What differs on this host from the package's unit.
                            [Service]
                            \(owner)ExecStart=
                            \(start)
                            \(writing)
                            """
                    )
                }
                return File(
                    path: "\(folder)/\(name).service",
                    text: """
                        [Unit]
                        Description=Headroom \(command.pieces(separator: " ")[0]): \(purpose)
                        Wants=network-online.target
                        After=network-online.target mariadb.service mysql.service

                        [Service]
                        Type=notify
                        \(owner)\(start)
                        WatchdogSec=60
                        TimeoutStopSec=\(patience)
                        Restart=on-failure
                        RestartSec=15
                        \(user == nil ? "" : writing + Self.hardening)
                        [Install]
                        WantedBy=\(user == nil ? "default" : "multi-user").target

                        """
                )
            }
    }

    private var writing: String {
        writable.isEmpty ? "" : "ReadWritePaths=\(writable.map { Escaping.systemd("-\($0)") }.joined(separator: " "))\n"
    }

    /// What the package's units have too (deploy/systemd/hardening.conf says why); a test holds the two together.
    static let hardening = """
        UMask=0007
        KillMode=mixed
        LimitCORE=0
        CapabilityBoundingSet=
        AmbientCapabilities=
        NoNewPrivileges=yes
        RestrictSUIDSGID=yes
        ProtectSystem=strict
        ProtectHome=read-only
        PrivateTmp=yes
        PrivateDevices=yes
        DevicePolicy=closed
        ProtectClock=yes
        ProtectHostname=yes
        ProtectKernelTunables=yes
        ProtectKernelModules=yes
        ProtectKernelLogs=yes
        ProtectControlGroups=yes
        RestrictNamespaces=yes
        RestrictRealtime=yes
        LockPersonality=yes
        MemoryDenyWriteExecute=yes
        RemoveIPC=yes
        KeyringMode=private
        ProtectProc=default
        ProcSubset=all
        RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
        SystemCallArchitectures=native
        SystemCallFilter=@system-service
        SystemCallFilter=~@privileged @resources
        SystemCallErrorNumber=EPERM

        """
}
