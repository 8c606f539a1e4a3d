/// A unit of energy in which a file may give its values.
enum EnergyUnit: String, CaseIterable {
    case wattHours = "wh"
    case kilowattHours = "kwh"
    case megawattHours = "mwh"
    case gigawattHours = "gwh"

    /// The power of ten that turns the unit into kWh.
    var exponent: Int {
        switch self {
        case .wattHours: -3
        case .kilowattHours: 0
        case .megawattHours: 3
        case .gigawattHours: 6
        }
    }

    /// The unit that a file's word for it means.
    ///
    /// - Throws: ``CellProblem`` for anything that is not energy.
    init(_ word: Bytes) throws(CellProblem) {
        if word.isWord("kwh") {
            self = .kilowattHours
        } else if word.isWord("wh") {
            self = .wattHours
        } else if word.isWord("mwh") {
            self = .megawattHours
        } else if word.isWord("gwh") {
            self = .gigawattHours
        } else {
            self = try EnergyUnit(word: word.text)
        }
    }

    /// The unit that a header's word for it means.
    ///
    /// - Throws: ``CellProblem`` for anything that is not energy.
    init(word: some StringProtocol) throws(CellProblem) {
        let word = word.lowercased()
        if let unit = EnergyUnit(rawValue: word) {
            self = unit
        } else if ["w", "kw", "mw", "gw", "kva"].contains(word) {
            throw CellProblem("\(word) is power, not energy; only Wh, kWh, MWh and GWh can be imported")
        } else if ["m3", "m\u{B3}", "ft3", "hcf"].contains(word) {
            throw CellProblem(
                "\(word) is a volume, not energy; convert it to kWh with the supplier's calorific value"
            )
        } else {
            throw CellProblem("the unit '\(word.prefix(40))' is not known; only Wh, kWh, MWh and GWh can be imported")
        }
    }
}

/// An amount of energy in thousandths of a kWh, exactly as the database stores it.
struct Energy: Hashable, Sendable {
    var thousandths: Int64

    init(thousandths: Int64) {
        self.thousandths = thousandths
    }

    /// The most that `decimal(15,3)` holds, in thousandths.
    static let most: UInt64 = 999_999_999_999_999

    /// Reads a decimal number, exactly, and rounds it half to even at three decimals of a kWh.
    ///
    /// Also `1.5e-3`, which spreadsheets write. Not: a comma as the decimal point, separators between thousands, `inf`.
    init(_ text: Bytes, unit: EnergyUnit) throws(CellProblem) {
        guard let thousandths = DecimalText.units(text, decimals: unit.exponent + 3) else {
            if text.isEmpty { throw CellProblem("there is no value") }
            if text.firstIndex(of: UInt8(ascii: ",")) != nil {
                throw CellProblem("it is not a plain number; a comma in it may mean two things, so write 1234.5")
            }
            throw CellProblem("it is not a number")
        }
        guard thousandths.magnitude <= Self.most else {
            throw CellProblem("it is too large: the database holds less than 1,000,000,000,000 kWh")
        }
        self.thousandths = thousandths
    }

    /// The number as SQL reads it, such as `2.150`.
    var text: String {
        let magnitude = thousandths.magnitude
        let fraction = String(magnitude % 1000)
        return "\(thousandths < 0 ? "-" : "")\(magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
