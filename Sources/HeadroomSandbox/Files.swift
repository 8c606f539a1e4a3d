import Glibc

/// The few file operations that a sandbox needs.
package enum Files {
    /// The last system error in words.
    package static var lastError: String { String(cString: strerror(errno)) }

    /// The value of an environment variable, if it has one.
    package static func environment(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// The path as seen from the root.
    package static func absolute(_ path: String) -> String {
        guard !path.hasPrefix("/") else { return path }
        guard let current = getcwd(nil, 0) else { return path }
        defer { free(current) }
        return "\(String(cString: current))/\(path)"
    }

    /// Whether there is anything at the path.
    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Whether the path is a folder with nothing in it.
    package static func isEmptyFolder(_ path: String) -> Bool {
        guard let folder = opendir(path) else { return false }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // "." and ".." are always there.
        return count <= 2
    }

    /// Makes a folder and those above it, for their owner only.
    package static func makeFolders(_ path: String) throws {
        var current = ""
        for part in path.split(separator: "/") {
            current += "/\(part)"
            if mkdir(current, 0o700) != 0, errno != EEXIST {
                throw SandboxError(.badDirectory, "The folder \(current) cannot be made: \(lastError).")
            }
        }
    }

    /// Returns a file's text, or `nil` when it cannot be read; 16 MB of it at most.
    package static func read(_ path: String) -> String? {
        guard let file = fopen(path, "re") else { return nil }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while bytes.count < 1 << 24, case let count = fread(&block, 1, block.count, file), count > 0 {
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Writes a file, readable by its owner only; not through a link.
    package static func write(_ text: String, to path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw SandboxError(.badDirectory, "\(path) cannot be written: \(lastError).")
        }
        defer { close(descriptor) }
        var text = text
        let written = text.withUTF8 { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == text.utf8.count else {
            throw SandboxError(.badDirectory, "\(path) cannot be written: \(lastError).")
        }
    }

    /// Finds a program in the PATH and where servers are installed.
    package static func program(_ name: String) -> String? {
        let folders = (environment("PATH") ?? "").unicodeScalars.split(separator: ":").map(String.init)
        return (folders + ["/usr/sbin", "/usr/local/sbin", "/usr/bin", "/usr/libexec"]).map { "\($0)/\(name)" }
            .first { access($0, X_OK) == 0 }
    }
}
