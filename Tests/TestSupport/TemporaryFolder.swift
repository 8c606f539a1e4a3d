import Glibc

/// A folder for one test, removed when the test ends.
public final class TemporaryFolder: Sendable {
    /// The folder's path.
    public let path: String

    /// Makes a folder.
    public init() {
        // mkdtemp puts a name of its own in the place of the X's.
        var template = Array("/tmp/headroom-test-XXXXXX".utf8CString)
        mkdtemp(&template)
        path = String(decoding: template.dropLast().map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    deinit {
        // Flat: tests put files into it, and no folders.
        if let directory = opendir(path) {
            while let entry = readdir(directory) {
                let name = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                unlink("\(path)/\(name)")
            }
            closedir(directory)
        }
        rmdir(path)
    }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ text: String, to name: String, mode: UInt32 = 0o600) -> String {
        write(Array(text.utf8), to: name, mode: mode)
    }

    /// Writes a file and returns its path.
    @discardableResult
    public func write(_ bytes: [UInt8], to name: String, mode: UInt32 = 0o600) -> String {
        let file = "\(path)/\(name)"
        let descriptor = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        bytes.withUnsafeBytes { _ = Glibc.write(descriptor, $0.baseAddress, $0.count) }
        fchmod(descriptor, mode)
        close(descriptor)
        return file
    }
}
