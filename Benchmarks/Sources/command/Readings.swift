import Glibc
import Support

/// A file of half-hours, a row each, of that many megabytes.
struct Readings {
    static let meters = 500
    static let firstMPAN = 1_200_012_340_001

    let megabytes: Int

    func write(to path: String) throws {
        guard let file = fopen(path, "w") else { throw BenchmarkFailure(what: "\(path) cannot be written") }
        defer { fclose(file) }
        fputs("mpan,datetime,kwh\n", file)
        let times = (0..<48).map { "\($0 < 20 ? "0" : "")\($0 / 2):\($0 % 2 == 0 ? "00" : "30")" }
        var day = 0
        while ftell(file) < megabytes * 1_000_000 {
            for meter in 0..<Self.meters {
                for (period, time) in times.enumerated() {
                    let value = (meter * 7919 + day * 104_729 + period) % 5
                    fputs("\(Self.firstMPAN + meter),\(date(day)) \(time),\(value).\(100 + period)\n", file)
                }
            }
            day += 1
        }
        // Not to be written down beside what is measured.
        fflush(file)
        fsync(fileno(file))
        guard ferror(file) == 0 else { throw BenchmarkFailure(what: "\(path) cannot be written") }
    }

    /// Days of winters only, which have 48 half-hours each.
    private func date(_ day: Int) -> String {
        let (year, rest) = (2000 + day / 56, day % 56)
        let (month, number) = rest < 28 ? (1, rest + 1) : (2, rest - 27)
        return "\(year)-0\(month)-\(number < 10 ? "0" : "")\(number)"
    }
}
