/// A file to import, and the same rows as LOAD DATA reads them.
struct Data {
    var name: String
    var meters: [String]
    var readings: Int
    var file: String

    /// The readings: meter, day, period from 1, thousandths of a kWh.
    private var values: [(meter: Int, day: Int, period: Int, thousandths: Int)]

    /// Rows of 48 half-hours: 50 meters, day after day.
    static func matrix(rows: Int) -> Data {
        var data = Data(name: "matrix", days: rows / 50, meters: 50)
        data.file = "mpan,date," + (1...48).map { "HH\(two($0))" }.joined(separator: ",") + "\n"
        for row in 0..<rows {
            let (meter, day) = (row / (rows / 50), row % (rows / 50))
            data.file += "\(data.meters[meter]),\(date(day))"
            for period in 1...48 { data.file += ",\(data.add(meter, day, period))" }
            data.file += "\n"
        }
        return data
    }

    /// A row for each half-hour: 10 meters, one after the other.
    static func interval(rows: Int) -> Data {
        var data = Data(name: "interval", days: rows / 48 / 10, meters: 10)
        data.file = "mpan,datetime,kwh\n"
        for row in 0..<rows {
            let meter = row * 10 / rows
            let number = row - (meter * rows + 9) / 10
            let (day, period) = (number / 48, number % 48 + 1)
            data.file += "\(data.meters[meter]),\(date(day)) \(time(period)),\(data.add(meter, day, period))\n"
        }
        return data
    }

    /// The rows as text, for meters with these ids.
    func loadRows(ids: [Int], batch: String) -> String {
        values.map { value in
            "\(ids[value.meter]),\(Self.date(value.day)),\(Self.time(value.period)):00,\(value.period),"
                + "\(Self.decimal(value.thousandths)),actual,\(batch)"
        }
        .joined(separator: "\n")
    }

    private init(name: String, days: Int, meters count: Int) {
        self.name = name
        meters = (0..<count).map { "12000\(10_000_000 + $0)" }
        readings = 0
        file = ""
        values = []
    }

    private mutating func add(_ meter: Int, _ day: Int, _ period: Int) -> String {
        let thousandths = (meter * 7919 + day * 104_729 + period * 1_299_709) % 5_000
        values.append((meter, day, period, thousandths))
        readings += 1
        return Self.decimal(thousandths)
    }

    private static func decimal(_ thousandths: Int) -> String {
        let rest = thousandths % 1000
        return "\(thousandths / 1000).\(rest < 100 ? "0" : "")\(rest < 10 ? "0" : "")\(rest)"
    }

    private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

    private static func time(_ period: Int) -> String { "\(two((period - 1) / 2)):\(period % 2 == 1 ? "00" : "30")" }

    /// Days of winters only, which have 48 half-hours each.
    private static func date(_ day: Int) -> String {
        let (year, rest) = (2020 + day / 56, day % 56)
        return rest < 28 ? "\(year)-01-\(two(rest + 1))" : "\(year)-02-\(two(rest - 27))"
    }
}
