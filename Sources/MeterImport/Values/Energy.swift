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
    init(word: some StringProtocol) throws(CellProblem) {
        let word = word.lowercased()
        if let unit = EnergyUnit(rawValue: word) {
            self = unit
        } else if word == "kw" || word == "w" || word == "mw" {
            throw CellProblem("\(word) is power, not energy; only Wh, kWh, MWh and GWh can be imported")
        } else if word == "m3" || word == "m³" {
            throw CellProblem("m3 is a volume, not energy; convert it to kWh with the supplier's calorific value")
        } else {
            throw CellProblem("the unit '\(word)' is not known; only Wh, kWh, MWh and GWh can be imported")
        }
    }
}

/// Says what is wrong with a cell, as the end of a sentence.
struct CellProblem: Error, Equatable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// An amount of energy in thousandths of a kWh, exactly as the database stores it.
struct Energy: Equatable {
    var thousandths: Int64

    /// The most that `decimal(15,3)` holds, in thousandths.
    static let most: Int64 = 999_999_999_999_999

    /// Reads a decimal number, exactly, and rounds it half to even at three decimals of a kWh.
    ///
    /// Also `1.5e-3`, which spreadsheets write. Not: a comma as the decimal point, separators between thousands, `inf`.
    init(_ text: ArraySlice<UInt8>, unit: EnergyUnit) throws(CellProblem) {
        guard let number = Decimal(text) else {
            if text.isEmpty { throw CellProblem("there is no value") }
            if text.contains(UInt8(ascii: ",")) {
                throw CellProblem("it is not a plain number; a comma in it may mean two things, so write 1234.5")
            }
            throw CellProblem("it is not a number")
        }
        guard let thousandths = number.rounded(shiftedBy: unit.exponent + 3), thousandths <= Self.most else {
            throw CellProblem("it is too large: the database holds less than 1,000,000,000,000 kWh")
        }
        self.thousandths = number.isNegative ? -thousandths : thousandths
    }

    /// The number as SQL reads it, such as `2.150`.
    var text: String {
        let magnitude = thousandths.magnitude
        let fraction = String(magnitude % 1000)
        return "\(thousandths < 0 ? "-" : "")\(magnitude / 1000)."
            + String(repeating: "0", count: 3 - fraction.count) + fraction
    }
}

/// A decimal number as its digits and the place of its point.
private struct Decimal {
    var isNegative = false
    private var digits: [UInt8] = []
    /// How many of the digits stand before the point; may be negative or beyond the digits.
    private var point = 0

    init?(_ text: ArraySlice<UInt8>) {
        var rest = text
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") {
            isNegative = rest.removeFirst() == UInt8(ascii: "-")
        }
        digits.reserveCapacity(rest.count)
        var sawDigit = false
        var sawPoint = false
        while let byte = rest.first {
            if byte.isDigit {
                sawDigit = true
                // Leading zeros say nothing; a number of zeros alone has no digits.
                if byte != 48 || !digits.isEmpty {
                    digits.append(byte - 48)
                    if !sawPoint { point += 1 }
                } else if sawPoint {
                    point -= 1
                }
            } else if byte == UInt8(ascii: "."), !sawPoint {
                sawPoint = true
            } else {
                break
            }
            rest.removeFirst()
        }
        guard sawDigit else { return nil }
        guard let mark = rest.popFirst() else { return }
        guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E"), rest.count <= 4,
            let exponent = Int(String(decoding: rest, as: UTF8.self))
        else { return nil }
        point += exponent
    }

    /// The number times a power of ten, rounded half to even to a whole number; `nil` when it does not fit.
    func rounded(shiftedBy shift: Int) -> Int64? {
        let count = point + shift
        guard !digits.isEmpty, count >= 0 else { return 0 }
        guard count <= 18 else { return nil }
        var whole: Int64 = 0
        for index in 0..<count {
            whole = whole * 10 + (index < digits.count ? Int64(digits[index]) : 0)
        }
        guard count < digits.count else { return whole }
        let first = digits[count]
        let isExactHalf = first == 5 && digits[(count + 1)...].allSatisfy { $0 == 0 }
        let goesUp = isExactHalf ? whole % 2 != 0 : first >= 5
        return goesUp ? whole + 1 : whole
    }
}
