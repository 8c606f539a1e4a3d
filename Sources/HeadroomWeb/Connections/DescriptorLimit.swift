import Glibc
import Headroom

/// How many files and connections the process may have open.
package enum DescriptorLimit {
    /// What the rest of the program needs beside connections: the database, files, helpers.
    static let reserve = 64

    /// Raises the limit as far as this user may, and returns it.
    ///
    /// - Returns: The limit.
    /// - Throws: ``DatabaseError`` with `settingsInvalid` when it is too low to serve anybody.
    package static func raise() throws -> Int {
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        // Where even that is forbidden, what every process may have at the least.
        guard getrlimit(resource, &limit) == 0 else { return 256 }
        // No more than is of use: some hosts allow a billion, and tables grow with the number.
        let wanted = min(limit.rlim_max, 65_536)
        if limit.rlim_cur < wanted {
            var raised = limit
            raised.rlim_cur = wanted
            if setrlimit(resource, &raised) == 0 { limit = raised }
        }
        let count = Int(clamping: limit.rlim_cur)
        guard count >= reserve else {
            throw DatabaseError(
                .settingsInvalid,
                message: "This process may have only \(count) files and connections open, too few to serve anybody.",
                advice: "Raise the limit to 256 or more: ulimit -n, or LimitNOFILE= in the unit."
            )
        }
        return count
    }

    /// The most connections to serve under a limit; what is left is for everything else.
    ///
    /// - Parameter limit: The limit.
    /// - Returns: From 16 to 512.
    package static func connections(under limit: Int) -> Int { min(512, max(16, (limit - reserve) / 4 * 3)) }
}
