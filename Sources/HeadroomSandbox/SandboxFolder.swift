package import Glibc

/// The folder of a private server: what is where in it.
package struct SandboxFolder: Sendable, Hashable {
    /// The folder's absolute path.
    package var path: String

    /// The longest path that a unix socket can have: `sun_path` has 108 bytes, one of them the terminating zero.
    package static let longestSocketPath = 107

    package var data: String { "\(path)/data" }
    package var socket: String { "\(path)/mysqld.sock" }
    package var processFile: String { "\(path)/mysqld.pid" }
    package var errorLog: String { "\(path)/error.log" }
    package var initialisation: String { "\(path)/init.sql" }
    package var temporary: String { "\(path)/tmp" }
    package var certificate: String { "\(path)/server.pem" }
    package var privateKey: String { "\(path)/server.key" }
    package var environment: String { "\(path)/env" }
    package var state: String { "\(path)/state" }

    /// Marks the folder as a sandbox's; nothing without it is ever touched.
    package var marker: String { "\(path)/headroom-sandbox" }

    /// Is there once the server has ended; its keeper makes it.
    package var endedMark: String { "\(path)/ended" }

    /// While this is there the keeper leaves the folder when the server ends.
    package var keepMark: String { "\(path)/keep" }

    /// Names a temporary folder; its keeper makes it, so that there is none without a keeper to remove it.
    package static func temporary() -> SandboxFolder {
        let candidates = [Files.environment("TMPDIR"), "/tmp"].compactMap(\.self)
        // A long TMPDIR leaves no room for the socket's name.
        let base = candidates.first { $0.utf8.count < Self.longestSocketPath - 32 } ?? "/tmp"
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        let name = String((0..<10).map { _ in letters.randomElement() ?? "x" })
        return SandboxFolder(path: "\(base)/headroom-\(name)")
    }

    /// Takes a folder of the user's: a new or empty one, or one that was a sandbox before.
    package static func at(_ path: String) throws -> SandboxFolder {
        let folder = SandboxFolder(path: Files.absolute(path))
        guard folder.socket.utf8.count <= longestSocketPath else {
            throw SandboxError(
                .badDirectory,
                "The path \(folder.path) is too long: a socket in it would have more than \(longestSocketPath) bytes. "
                    + "Choose a shorter one."
            )
        }
        if Files.exists(folder.path) {
            guard Files.exists(folder.marker) || Files.isEmptyFolder(folder.path) else {
                throw SandboxError(
                    .badDirectory,
                    "\(folder.path) is not empty and was not made by 'headroom sandbox': it is left alone. "
                        + "Choose a new or an empty folder."
                )
            }
        } else {
            try Files.makeFolders(folder.path)
        }
        chmod(folder.path, 0o700)
        try Files.write("", to: folder.marker)
        return folder
    }

    /// The end of the server's error log, for a message.
    package var logTail: String {
        let lines = (Files.read(errorLog) ?? "").unicodeScalars.split(separator: "\n").suffix(5).map(String.init)
        return lines.isEmpty ? "" : "The end of its log: " + lines.joined(separator: "; ")
    }

    /// The server's process id, when one is running on exactly this folder's data.
    ///
    /// A process id alone may belong to anything by now; its command line tells.
    package var runningServer: pid_t? {
        guard let line = Files.read(processFile)?.utf8.split(separator: UInt8(ascii: "\n")).first,
            let id = pid_t(String(decoding: line, as: UTF8.self)), id > 1,
            let command = Files.read("/proc/\(id)/cmdline"),
            command.utf8.split(separator: 0).contains(where: { $0.elementsEqual("--datadir=\(data)".utf8) })
        else { return nil }
        return id
    }
}
