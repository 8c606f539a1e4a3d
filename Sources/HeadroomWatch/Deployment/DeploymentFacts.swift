/// What was read of a host about who runs Headroom on it, before anything is made of it.
package struct DeploymentFacts: Sendable {
    /// The system's crontabs and those of users, as far as they could be read.
    package var crontabs: [CronTable] = []

    /// Files in `/etc/cron.d` that cron leaves out because of their names.
    package var ignoredCrontabs: [CronTable] = []

    /// The units that may run something of interest.
    package var units: [UnitFile] = []

    /// What runs now.
    package var processes: [Running] = []

    /// The users of this host.
    package var users: [String: User] = [:]

    /// The settings files that something names, and those that were asked for.
    package var files: [String: File] = [:]

    /// The group that shares the budget: that of the state folder; `nil` where there is none.
    package var stateGroup: UInt32?

    /// The state folder.
    package var stateFolder = "/run/headroom"

    /// A part of the old worker's command line; `nil` takes any PHP script that is named like one.
    package var oldWorker: String?

    /// What could not be seen, and why, in sentences for people.
    package var blindSpots: [String] = []

    /// Creates facts of nothing.
    package init() {}

    /// A process that runs.
    package struct Running: Sendable, Hashable {
        /// The process's id.
        package var id: Int32
        /// Its arguments.
        package var words: [String]
        /// Its working directory; `nil` when that cannot be seen.
        package var folder: String?
        /// Its unit.
        package var unit: String?

        /// Creates a process.
        package init(id: Int32, words: [String], folder: String? = nil, unit: String? = nil) {
            self.id = id
            self.words = words
            self.folder = folder
            self.unit = unit
        }
    }

    /// A user.
    package struct User: Sendable, Hashable {
        /// The user's number.
        package var id: UInt32
        /// The numbers of the groups.
        package var groups: Set<UInt32>

        /// Creates a user.
        package init(id: UInt32, groups: Set<UInt32>) {
            self.id = id
            self.groups = groups
        }
    }

    /// A file's owner and rights.
    package struct File: Sendable, Hashable {
        /// The owner's number.
        package var owner: UInt32
        /// The group's number.
        package var group: UInt32
        /// The rights, as `chmod` takes them.
        package var mode: UInt32

        /// Creates a file's rights.
        package init(owner: UInt32, group: UInt32, mode: UInt32) {
            self.owner = owner
            self.group = group
            self.mode = mode
        }

        /// Whether a user may read it.
        package func isReadable(by user: User) -> Bool {
            if user.id == 0 { return true }
            if user.id == owner { return mode & 0o400 != 0 }
            return mode & (user.groups.contains(group) ? 0o040 : 0o004) != 0
        }
    }
}
