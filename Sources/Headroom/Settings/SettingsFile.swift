import CLibrary

/// Reads the files that settings come from.
enum SettingsFile {
    /// The most bytes of a file.
    static let mostBytes = 1 << 20

    /// A file's bytes, and who may have written them.
    struct Content {
        var bytes: [UInt8]
        /// Why somebody else than this process's user or root may have written the file; `nil` when nobody else can have.
        var stranger: String?
    }

    /// Reads a file, through links, as people and orchestrators put them.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`, saying why it cannot be read.
    static func content(_ path: String) throws -> Content {
        // The usual word for no file at all.
        if path == "/dev/null" { return Content(bytes: []) }
        do {
            let descriptor = try RegularFile.open(path, O_RDONLY, links: .followed)
            defer { close(descriptor) }
            let bytes = try RegularFile.read(descriptor, atMost: mostBytes)
            // As Windows' editors and shells write it: no line would be found in it.
            if bytes.starts(with: [0xFF, 0xFE]) || bytes.starts(with: [0xFE, 0xFF]) {
                throw DatabaseError(
                    .settingsInvalid,
                    message: "The settings file \(path) is written in UTF-16.",
                    advice: "Save it as UTF-8."
                )
            }
            return Content(bytes: bytes, stranger: stranger(descriptor, path))
        } catch let error as RegularFile.Problem {
            let isFolder = isFolder(path)
            throw DatabaseError(
                .settingsInvalid,
                message:
                    "The settings file \(path) cannot be read: \(isFolder ? "it is a folder" : error.description).",
                advice: isFolder
                    ? "Name the file in it, or an application's folder with --app."
                    : "Check the path and who may read it."
            )
        }
    }

    /// Returns a file's text.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`, saying why it cannot be read.
    static func read(_ path: String) throws -> String {
        String(decoding: try content(path).bytes, as: UTF8.self)
    }

    private static func stranger(_ descriptor: Int32, _ path: String) -> String? {
        var file = stat()
        guard fstat(descriptor, &file) == 0, var steps = PathStep.all(to: path), !steps.isEmpty else {
            return "its owner cannot be told"
        }
        // What was read, whatever stands there by now.
        steps[steps.count - 1].entry = FileRights(file)
        return FileWriters.stranger(on: steps, to: geteuid())
    }

    /// Whether there is a file at the path.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Whether there is a file at the path, or what may be taken for one, and no folder.
    static func isFile(_ path: String) -> Bool { exists(path) && !isFolder(path) }

    /// Whether there is something at the path that is neither a file nor a folder, such as a FIFO, which may never answer.
    static func isSpecial(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && ![S_IFREG, S_IFDIR].contains(information.st_mode & S_IFMT)
    }

    /// Whether users other than its owner and its group may read the file.
    static func isWorldReadable(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IROTH != 0
    }

    /// How to keep a file from other users without keeping it from a web server that runs as one of them.
    static func cure(_ path: String) -> String {
        let shown = Escaping.shell(path)
        var information = stat()
        let names: [String] = ["www-data", "apache", "nginx", "http"]
        let server = names.lazy.compactMap { name in getgrnam(name).map { (name, $0.pointee.gr_gid) } }.first
        guard let (name, group) = server, stat(path, &information) == 0, information.st_gid != group else {
            return "chmod 640 \(shown)"
        }
        return "chmod 640 \(shown), but where the web server reads it, as user \(name), first: chgrp \(name) \(shown)"
    }

    /// The paths of a folder's files with the ending, in the order of their names.
    static func list(_ folder: String, ending: String) throws -> [String] {
        guard let directory = opendir(folder) else {
            throw DatabaseError(
                .settingsInvalid,
                message: "The folder \(folder) of an !includedir cannot be read: \(String(cString: strerror(errno))).",
                advice: "Check the path and who may read it."
            )
        }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(ending) { names.append("\(folder)/\(name)") }
        }
        return names.sorted()
    }
}

/// Whether the path names a folder.
func isFolder(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
}
