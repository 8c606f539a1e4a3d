import Glibc

/// A file that somebody has named on the command line.
struct NamedFile {
    /// Its absolute path, without links and `..`: in a job's row it must say plainly where the file lies.
    let path: String

    /// The name, as it was typed.
    let name: String

    /// Finds it.
    ///
    /// A file that is not there keeps its path as it was typed: opening it says so.
    init(_ typed: String) {
        name = typed.utf8.split(separator: UInt8(ascii: "/")).last.flatMap { String($0) } ?? ""
        guard let resolved = realpath(typed, nil) else {
            path = typed
            return
        }
        defer { free(resolved) }
        path = String(cString: resolved)
    }
}
