import CLibrary
import Headroom
import HeadroomJobs

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
                "The time zone '\(shown(name, most: 60))' is not known here. Write it as in Europe/London, or install the package tzdata."
            )
        }
        return rules
    }

    private static func read(_ name: String) -> [UInt8]? {
        let folder = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
        // The largest zone file has some 4 KB. Zones with several names are links.
        return try? RegularFile.read("\(folder)/\(name)", atMost: 64 * 1024, links: .followed)
    }
}
