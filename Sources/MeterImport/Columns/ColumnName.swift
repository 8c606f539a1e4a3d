import Headroom

/// The name of a column, split into its word and the unit in it, such as `Consumption (kWh)`.
struct ColumnName {
    /// The name as the file writes it.
    let original: String

    /// The name in lower case, letters and digits only.
    let normalised: String

    /// The same of what stands before a bracket, and what stands in it.
    private let bracketed: (word: String, unit: String)?

    init(_ bytes: Bytes) {
        original = bytes.text
        normalised = Self.normalise(bytes)
        let open = bytes.firstIndex(of: UInt8(ascii: "(")) ?? bytes.firstIndex(of: UInt8(ascii: "["))
        if let open, let last = bytes.last, last == UInt8(ascii: ")") || last == UInt8(ascii: "]") {
            let unit = bytes.dropFirst(open + 1).dropLast().trimmed.text.lowercased()
            bracketed = (Self.normalise(bytes.prefix(open)), unit)
        } else {
            bracketed = nil
        }
    }

    private static func normalise(_ bytes: Bytes) -> String {
        let plain = bytes.buffer.compactMap { byte -> UInt8? in
            switch byte {
            case 48...57, 97...122: byte
            case 65...90: byte + 32
            default: nil
            }
        }
        return String(decoding: plain, as: UTF8.self)
    }

    /// The period of a matrix column: 1 for `HH01`, `hh1`, `HH01 (kWh)`.
    var period: Int? {
        let word = bracketed?.word ?? normalised
        guard word.begins(with: "hh") else { return nil }
        let digits = word.dropFirst(2).leading(\.isDigit)
        guard (1...2).contains(digits.count), Self.unitWord(word, after: 2 + digits.count) != nil,
            let period = Int(digits), (1...50).contains(period)
        else { return nil }
        return period
    }

    /// How well the name suits one of these: 0 is the best; `nil` when it does not.
    func rank(among names: [String]) -> Int? { names.firstIndex(of: normalised) }

    /// How well the name suits a role: 0 is the best; `nil` when it does not.
    func rank(as role: ColumnRole) -> Int? {
        if let rank = rank(among: role.names) { return rank }
        guard role == .value else { return nil }
        // "Consumption (kWh)" and "usage_wh": a name of a value, then its unit, which may be one that is refused.
        if let bracketed, let rank = role.names.firstIndex(of: bracketed.word) { return rank }
        return role.names.firstIndex { name in
            normalised.begins(with: name) && Self.unitWord(normalised, after: name.count).map { !$0.isEmpty } == true
        }
    }

    /// The unit in a value's or a period's name; `nil` when it names none.
    ///
    /// - Throws: ``CellProblem`` for a unit that is not energy.
    func unit() throws(CellProblem) -> EnergyUnit? {
        if let bracketed { return try EnergyUnit(word: bracketed.unit) }
        if let unit = EnergyUnit(rawValue: normalised) { return unit }
        let prefix: Int
        if normalised.begins(with: "hh") {
            prefix = 2 + normalised.dropFirst(2).leading(\.isDigit).count
        } else {
            let names = ColumnRole.value.names.filter { normalised.begins(with: $0) }
            prefix = names.map(\.count).max() ?? 0
        }
        guard let word = Self.unitWord(normalised, after: prefix), !word.isEmpty else { return nil }
        return try EnergyUnit(word: word)
    }

    /// What stands behind the first characters, if it is a unit or nothing.
    private static func unitWord(_ name: String, after count: Int) -> Substring? {
        let rest = name.dropFirst(count)
        let units: Set<Substring> = ["", "wh", "kwh", "mwh", "gwh", "w", "kw", "mw", "m3"]
        return units.contains(rest) ? rest : nil
    }
}
