import Glibc

extension WebApp {
    /// The environment's variables.
    static var environment: [String: String] {
        var environment: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
            entry += 1
        }
        return environment
    }
}

/// Writes out what was printed, also when standard output is a file.
func flushOutput() {
    fflush(nil)
}
