import CKernel
import CSQLite
import Glibc
import Headroom

/// The libraries that the program is linked with.
package enum LinkedLibraries {
    /// Whether all of them are inside the program (`scripts/build-release`), which then loads none.
    package static var areInside: Bool {
        #if STATIC_PROGRAM
        true
        #else
        false
        #endif
    }

    /// The program's version and those of the C libraries that it runs with, a line each.
    package static var versions: [String] {
        let libraries =
            ClientLibrary.versions + [
                ("SQLite", String(cString: sqlite3_libversion())), ("glibc", String(cString: gnu_get_libc_version())),
            ]
        let place = areInside ? "inside the program" : "of this host"
        return ["headroom \(headroomVersion)"] + libraries.map { "  \($0.name) \($0.version), \(place)" }
    }

    /// Keeps a program that has its libraries inside from loading others; the first statement of `main`.
    ///
    /// A library of the host would bring the host's C library into the process, of another version: it ends by SIGSEGV. The name
    /// services of `/etc/nsswitch.conf` (sss, systemd, myhostname) are such libraries. Others are kept out by the linker
    /// (`scripts/build-release`).
    package static func prepare() {
        if areInside { kernel_use_own_name_services() }
    }
}
