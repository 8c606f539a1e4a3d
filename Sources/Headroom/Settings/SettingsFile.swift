import CLibrary

/// Reads the files that settings come from.
enum SettingsFile {
    /// Returns a file's text.
    ///
    /// - Throws: ``DatabaseError`` with `settingsInvalid`, saying why it cannot be read.
    static func read(_ path: String) throws -> String {
        guard !isFolder(path), let file = fopen(path, "re") else {
            let reason = isFolder(path) ? "it is a folder" : String(cString: strerror(errno))
            throw DatabaseError(
                .settingsInvalid,
                message: "The settings file \(path) cannot be read: \(reason).",
                advice: "Check the path and who may read it."
            )
        }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = fread(&block, 1, block.count, file)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Whether there is a file at the path.
    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Whether users other than its owner and its group may read the file.
    static func isWorldReadable(_ path: String) -> Bool {
        var information = stat()
        return stat(path, &information) == 0 && information.st_mode & S_IROTH != 0
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
