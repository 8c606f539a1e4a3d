import HeadroomJobs

/// A unit of energy in which a file may give its values.
enum EnergyUnit: String, CaseIterable, Codable, Hashable, Sendable {
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
    init(word: some StringProtocol) throws(CellProblem) {
        switch Measure(word: word.lowercased()) {
        case .energy(let unit): self = unit
        case .volume:
            throw CellProblem("\(word) is a volume, not energy; give the supplier's calorific value (--calorific-value 39.5)")
        case .quantity(.reactive): throw CellProblem("\(word) is reactive energy; only Wh, kWh, MWh and GWh can be imported")
        case .quantity: throw CellProblem("\(word) is power, not energy; only Wh, kWh, MWh and GWh can be imported")
        case nil:
            throw CellProblem("the unit '\(shown(String(word), most: 40))' is not known; only Wh, kWh, MWh and GWh can be imported")
        }
    }
}

/// A volume of gas in which a file may give its values.
enum VolumeUnit: String, Codable, Hashable, Sendable {
    case cubicMetres = "m3"
    case cubicFeet = "ft3"
    case hundredCubicFeet = "hcf"

    /// The energy of one unit in kWh: corrected for temperature and pressure (1.02264), times the calorific value in MJ/m3.
    func kilowattHours(calorificValue: Double) -> Double {
        let cubicMetres =
            switch self {
            case .cubicMetres: 1.0
            case .cubicFeet: 0.028_316_846_592
            case .hundredCubicFeet: 2.831_684_659_2
            }
        return cubicMetres * 1.02264 * calorificValue / 3.6
    }
}

/// What values are measured in, by the word that a file has for it.
enum Measure: Hashable, Sendable {
    case energy(EnergyUnit)
    case volume(VolumeUnit)
    case quantity(Quantity)

    /// A unit as it is written.
    static func name(_ word: String) -> String {
        switch Measure(word: word) {
        case .energy(let unit): ["wh": "Wh", "kwh": "kWh", "mwh": "MWh", "gwh": "GWh"][unit.rawValue] ?? word
        default: word
        }
    }

    init?(word: some StringProtocol) {
        let letters = word.lowercased().unicodeScalars.filter { $0 != " " && $0 != "." }
        switch String(String.UnicodeScalarView(letters)) {
        case "kwh", "kwhr", "kwhrs", "kwhs", "kilowatthours", "kilowatthour": self = .energy(.kilowattHours)
        case "wh", "watthours": self = .energy(.wattHours)
        case "mwh", "megawatthours": self = .energy(.megawattHours)
        case "gwh": self = .energy(.gigawattHours)
        case "m3", "m\u{B3}", "cum", "cubicmetres", "cubicmeters", "cubicmetre": self = .volume(.cubicMetres)
        case "ft3", "ft\u{B3}", "cuft", "cubicfeet": self = .volume(.cubicFeet)
        case "hcf", "100ft3", "100cuft": self = .volume(.hundredCubicFeet)
        case "kvarh", "varh", "kvar", "mvarh", "kvarhs": self = .quantity(.reactive)
        case "w", "kw", "mw", "gw", "kva", "kvah", "va", "mva": self = .quantity(.other)
        default: return nil
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
        thousandths = try Self.units(text, decimals: unit.exponent + 3, most: Self.most)
    }

    /// Rounds half to even.
    init(millionths: Int64) {
        let (quotient, rest) = millionths.quotientAndRemainder(dividingBy: 1000)
        let goesOn = rest.magnitude > 500 || rest.magnitude == 500 && quotient % 2 != 0
        thousandths = goesOn ? quotient + (rest < 0 ? -1 : 1) : quotient
    }

    /// Reads a number of which a sum or a product is made, in millionths of a kWh.
    static func millionths(_ text: Bytes, unit: EnergyUnit) throws(CellProblem) -> Int64 {
        try units(text, decimals: unit.exponent + 6, most: most * 1000)
    }

    private static func units(_ text: Bytes, decimals: Int, most: UInt64) throws(CellProblem) -> Int64 {
        guard let units = DecimalText.units(text, decimals: decimals) else {
            if text.isEmpty { throw CellProblem("there is no value") }
            if text.firstIndex(of: UInt8(ascii: ",")) != nil {
                throw CellProblem("it is not a plain number; a comma in it may mean two things, so write 1234.5")
            }
            throw CellProblem("it is not a number")
        }
        guard units.magnitude <= most else {
            throw CellProblem("it is too large: the database holds less than 1,000,000,000,000 kWh")
        }
        return units
    }

    /// The two halves, the second the larger where they differ.
    var halves: [Energy] { [Energy(thousandths: thousandths / 2), Energy(thousandths: thousandths - thousandths / 2)] }

    /// The number as SQL reads it, such as `2.150`.
    var text: String {
        let magnitude = thousandths.magnitude
        let fraction = String(magnitude % 1000)
        return "\(thousandths < 0 ? "-" : "")\(magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}
