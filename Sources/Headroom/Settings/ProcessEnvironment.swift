import CLibrary

/// The variables that this process was started with.
package enum ProcessEnvironment {
    /// Their values by name.
    ///
    /// Foundation has them too, and would cost a command that needs nothing else of it 0.2 MB.
    package static var variables: [String: String] {
        var variables: [String: String] = [:]
        var entry = kernel_environment()
        while let text = entry?.pointee {
            // Of two with one name getenv(3) finds the first.
            let parts = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
            entry = entry?.successor()
        }
        return variables
    }
}
