/// Says how far a file has been read, so that an import carries on behind its last commit exactly.
public struct FilePosition: Codable, Sendable, Hashable {
    /// The place of the next record, in bytes.
    public var offset = 0
    /// The line of the next record, from 1.
    public var line = 1
    /// The rows read so far.
    public var rows = 0
    /// The rows rejected so far.
    public var rejected = 0
    /// The readings so far, or the sites.
    public var values = 0
    /// Meters whose MPAN has a wrong check digit, the first ones.
    public var doubtfulMeters: [String] = []
    /// Whether there are more such meters than are listed.
    public var hasMoreDoubtfulMeters = false
    /// Which times of the long day have been seen, as hexadecimal numbers of 16 digits; `nil` when there are too many to
    /// carry: they are then found again by reading the file from its beginning.
    public var repeatedHours: String? = ""

    /// The most meters listed in ``doubtfulMeters``.
    public static let mostDoubtfulMeters = 50

    /// Creates the position of a file's beginning.
    public init() {}

    var repeatedHoursState: [UInt64]? {
        get {
            guard let repeatedHours else { return nil }
            let digits = Array(repeatedHours.utf8)
            return stride(from: 0, to: digits.count, by: 16)
                .compactMap {
                    UInt64(String(decoding: digits[$0..<min($0 + 16, digits.count)], as: UTF8.self), radix: 16)
                }
        }
        set {
            repeatedHours = newValue?
                .map { number in
                    let text = String(number, radix: 16)
                    return String(repeating: "0", count: 16 - text.count) + text
                }
                .joined()
        }
    }

    mutating func noteDoubtful(_ meter: String) {
        guard !doubtfulMeters.contains(meter) else { return }
        if doubtfulMeters.count < Self.mostDoubtfulMeters {
            doubtfulMeters.append(meter)
        } else {
            hasMoreDoubtfulMeters = true
        }
    }

    /// What the file's owner should know about what has been read.
    public var warnings: [String] {
        var warnings = doubtfulMeters.map { "The check digit of MPAN \($0) is wrong; it was imported as it stands." }
        if hasMoreDoubtfulMeters { warnings.append("The check digits of further MPANs are wrong.") }
        return warnings
    }
}
