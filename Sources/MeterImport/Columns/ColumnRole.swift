/// What a column holds, found by its name.
///
/// Names are compared in lower case with everything but letters and digits removed. When several columns could play a
/// role, the name that stands earlier in the list wins.
enum ColumnRole: CaseIterable {
    case meter
    case datetime
    case date
    case time
    case value
    case unit
    case type

    /// The names that the role goes by, the first the best.
    var names: [String] {
        switch self {
        case .meter:
            [
                "mpan", "mpancore", "mprn", "supplynumber", "metercode", "meterid", "meterreference", "meterref",
                "meter",
                "meterserialnumber", "meterserial", "serialnumber", "serial",
            ]
        case .datetime: ["datetime", "timestamp", "readdatetime", "readingdatetime", "start"]
        case .date: ["date", "readdate", "readingdate", "perioddate", "billdate", "insertdate"]
        case .time: ["time", "readtime", "readingtime", "periodtime"]
        case .value: ["value", "readvalue", "reading", "consumption", "usage", "kwh", "wh", "mwh"]
        case .unit: ["unit", "units", "uom"]
        case .type: ["readingtype", "type", "status", "ae", "actualestimated", "estimate"]
        }
    }

    /// The names to show a user who lacks such a column.
    var examples: String { names.prefix(3).joined(separator: ", ") }
}

/// The name of a column, split into its word and the unit in it, such as `Consumption (kWh)`.
struct ColumnName {
    /// The name as the file writes it.
    let original: String

    /// The name in lower case, letters and digits only.
    let normalised: String

    init(_ bytes: ArraySlice<UInt8>) {
        original = bytes.text
        normalised = String(
            decoding: bytes.compactMap { byte -> UInt8? in
                switch byte {
                case 48...57, 97...122: byte
                case 65...90: byte + 32
                default: nil
                }
            },
            as: UTF8.self
        )
    }

    /// The period of a matrix column: 1 for `HH01`, `hh1`, `HH01 (kWh)`.
    var period: Int? {
        guard normalised.hasPrefix("hh") else { return nil }
        let digits = normalised.dropFirst(2).prefix { $0.isNumber }
        guard (1...2).contains(digits.count), unitWord(after: 2 + digits.count) != nil,
            let period = Int(digits), (1...50).contains(period)
        else { return nil }
        return period
    }

    /// How well the name suits a role: 0 is the best; `nil` when it does not.
    func rank(as role: ColumnRole) -> Int? {
        if let rank = role.names.firstIndex(of: normalised) { return rank }
        guard role == .value else { return nil }
        // "Consumption (kWh)" and "usage_wh": a name of a value, then its unit.
        return role.names.firstIndex { name in
            normalised.hasPrefix(name) && unitWord(after: name.count).map { !$0.isEmpty } == true
        }
    }

    /// The unit in a value's or a period's name; `nil` when it names none.
    ///
    /// - Throws: ``CellProblem`` for a unit that is not energy.
    func unit() throws(CellProblem) -> EnergyUnit? {
        if let unit = EnergyUnit(rawValue: normalised) { return unit }
        let prefix: Int
        if normalised.hasPrefix("hh") {
            prefix = 2 + normalised.dropFirst(2).prefix { $0.isNumber }.count
        } else {
            let names = ColumnRole.value.names.filter { normalised.hasPrefix($0) }
            prefix = names.map(\.count).max() ?? 0
        }
        guard let word = unitWord(after: prefix), !word.isEmpty else { return nil }
        return try EnergyUnit(word: word)
    }

    /// What stands behind the first characters, if it is a unit or nothing.
    private func unitWord(after count: Int) -> Substring? {
        let rest = normalised.dropFirst(count)
        let units: Set<Substring> = ["", "wh", "kwh", "mwh", "gwh", "w", "kw", "mw", "m3"]
        return units.contains(rest) ? rest : nil
    }
}
