import FoundationEssentials
import Glibc

/// A folder for one test, removed when the test ends.
public final class TemporaryFolder: Sendable {
    /// The folder's path.
    public let path: String

    /// Makes a folder.
    public init() {
        // mkdtemp(3) puts letters of its own in the place of these.
        let letters = String(repeating: "X", count: 6)
        var template = Array("/tmp/headroom-test-\(letters)".utf8CString)
        guard mkdtemp(&template) != nil else { fatalError("No folder can be made in /tmp: error \(errno).") }
        path = String(decoding: template.dropLast().map { UInt8(truncatingIfNeeded: $0) }, as: UTF8.self)
    }

    deinit {
        // With what programs have made in it; links are removed, not followed.
        try? FileManager.default.removeItem(atPath: path)
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
