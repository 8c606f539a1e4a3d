import Glibc

/// The files of this project, for tests that hold them to a rule.
public enum SourceFiles {
    /// The project's folder.
    public static let root: String = {
        let path = #filePath
        let tests = path.firstRange(of: "/Tests/TestSupport/")
        return String(path[..<(tests?.lowerBound ?? path.startIndex)])
    }()

    /// The paths of all files below a folder whose names end so, in order.
    ///
    /// - Throws: When the folder is not there.
    public static func below(_ folder: String, ending: String) throws -> [String] {
        guard let directory = opendir(folder) else { throw Missing(path: folder) }
        defer { closedir(directory) }
        var paths: [String] = []
        while let entry = readdir(directory) {
            let isFolder = Int32(entry.pointee.d_type) == Int32(DT_DIR)
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasPrefix(".") { continue }
            let path = "\(folder)/\(name)"
            if isFolder {
                paths += try below(path, ending: ending)
            } else if name.hasSuffix(ending) {
                paths.append(path)
            }
        }
        return paths.sorted()
    }

    /// The text of a file; the path is the project's, or absolute.
    ///
    /// - Throws: When it cannot be read.
    public static func text(_ path: String) throws -> String {
        let whole = path.hasPrefix("/") ? path : "\(root)/\(path)"
        guard let file = fopen(whole, "re") else { throw Missing(path: whole) }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while case let count = fread(&block, 1, block.count, file), count > 0 { bytes += block[..<count] }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A file or folder of the project that is not there.
    public struct Missing: Error {
        /// Its path.
        public var path: String
    }
}
