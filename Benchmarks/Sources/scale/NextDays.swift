import Glibc
import Support

/// A file of the 21 days that come next, in rows of 48 half-hours, for 1,000 meters.
struct NextDays {
    static let meters = 1_000
    static let days = 21
    static let readings = meters * days * 48
    static let firstMPAN = 1_200_012_340_001

    /// Days of winters only, which have 48 half-hours each.
    private let month: String

    init(_ round: Int) {
        month = "\(2020 + round / 2)-0\(round % 2 + 1)"
    }

    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkFailure(what: "\(path) cannot be written") }
        defer { fclose(file) }
        fputs("mpan,date," + (1...48).map { "HH\($0)" }.joined(separator: ",") + "\n", file)
        for meter in 0..<Self.meters {
            for day in 1...Self.days {
                let values = (0..<48).map { "\(((meter + 1) * 7919 + day * 104_729 + $0) % 5).\(100 + $0)" }
                fputs(
                    "\(Self.firstMPAN + meter),\(month)-\(day < 10 ? "0" : "")\(day),\(values.joined(separator: ","))\n",
                    file
                )
            }
        }
        guard ferror(file) == 0 else { throw BenchmarkFailure(what: "\(path) cannot be written") }
    }
}
