import CLibrary
import Headroom
import SystemPackage

extension TimeZoneRules {
    /// Finds a zone by its name in the system's time zone files.
    ///
    /// - Throws: ``ImportError`` with `badOptions` when there is no such zone.
    static func named(_ name: String) throws -> TimeZoneRules {
        if ["UTC", "Etc/UTC", "Z", "GMT"].contains(name) { return .utc }
        let isPlain = name.isAll { $0.isLatinLetter || $0.isDigit || "/_+-".unicodeScalars.contains($0) }
        guard isPlain, !name.begins(with: "/"), !name.isEmpty, let bytes = read(name),
            let rules = TimeZoneRules(name: name, bytes: bytes)
        else {
            throw ImportError(
                .badOptions,
                "The time zone '\(name)' is not known here. Write it as in Europe/London, or install the package tzdata."
            )
        }
        return rules
    }

    private static func read(_ name: String) -> [UInt8]? {
        let folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        guard let descriptor = try? FileDescriptor.open(FilePath("\(folder)/\(name)"), .readOnly) else { return nil }
        defer { try? descriptor.close() }
        // The largest zone file has some 4 KB.
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        guard let count = try? bytes.withUnsafeMutableBytes({ try descriptor.read(into: $0) }) else { return nil }
        return Array(bytes[..<count])
    }
}
