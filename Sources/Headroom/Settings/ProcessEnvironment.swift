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
            // By bytes: a combining mark at the front of a value would hide the "=".
            let bytes = UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                let name = bytes[..<equals].text
                if variables[name] == nil { variables[name] = bytes[(equals + 1)...].text }
            }
            entry = entry?.successor()
        }
        return variables
    }
}
