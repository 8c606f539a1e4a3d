import Headroom
import HeadroomJobs

// What a value is: quantity, unit, flags, registers and totals.
extension FileUnderstanding {
    mutating func decideQuantity(_ evidence: Evidence, _ options: ImportOptions) throws {
        quantity = options.quantity == Quantity.export.rawValue ? .export : .consumed
        if let chosen = options.chosenWord {
            guard
                let column = layout.names.firstIndex(where: {
                    ColumnName($0).normalised == ColumnName(chosen.column).normalised
                })
            else {
                throw ImportError(.badOptions, "There is no column '\(shown(chosen.column, most: 60))' (--quantity).")
            }
            (chosenColumn, chosenWord) = (column, chosen.word.lowercased())
            say("quantity", "rows with '\(shown(chosen.word, most: 40))' in \(name(column))", .stated)
            return
        }
        let left = evidence.others.sorted { $0.key < $1.key }
            .map { "\(counted($0.value, "row")) of \(shown($0.key, most: 40))" }
        if evidence.rows == 0, !left.isEmpty {
            throw Self.doubt(
                "What is to be imported?",
                "The file has no rows of energy that was \(quantity == .export ? "given back" : "used"), but \(left.joined(separator: ", ")).",
                quantity == .export ? "leave out --quantity" : "--quantity export, or --quantity COLUMN=WORD"
            )
        }
        if layout.namedQuantity == .export, quantity == .consumed, options.valueColumn == nil, options.quantity == nil {
            throw Self.doubt(
                "Is energy to be imported that was given back?",
                "So the column of the values is called.",
                "--quantity export"
            )
        }
        if !left.isEmpty {
            say(
                "quantity",
                "\(quantity.rawValue); \(left.joined(separator: ", ")) left out",
                options.quantity == nil ? .named : .stated
            )
        } else if options.quantity != nil {
            say("quantity", quantity.rawValue, .stated)
        }
    }

    mutating func decideUnit(_ evidence: Evidence, _ options: ImportOptions) throws {
        let fuels = layout.words.first { column in
            guard ColumnName(layout.names[column]).rank(Catalogue.fuels) != nil,
                let words = evidence.words[column] ?? nil, !words.isEmpty
            else { return false }
            return words.allSatisfy { Catalogue.fuelWords[FileLayout.word($0.text)] != nil }
        }
        if let fuels, let words = evidence.words[fuels] ?? nil {
            let kinds = Set(words.compactMap { Catalogue.fuelWords[FileLayout.word($0.text)] })
            fuelColumn = fuels
            if kinds.count == 1 { fuel = kinds.first }
        }
        calorificValue = options.calorificValue
        for column in layout.words where options.unit == nil {
            // Units in the words that say what a row is, such as `Active Import Interval (kW)`.
            guard let words = evidence.words[column] ?? nil, !words.isEmpty, column != layout.unit else { continue }
            let measures = words.map { ColumnName($0.text).measure }
            if case .energy(let energy)? = measures.first ?? nil, measures.allSatisfy({ $0 == .energy(energy) }),
                layout.unit == nil, layout.namedUnit == nil
            {
                unit = energy.rawValue
                return say(
                    "unit",
                    "\(Measure.name(energy.rawValue)) by \(name(column)): \(shown(words[0].text, most: 40))",
                    .named
                )
            }
            let isPower = words.allSatisfy { word in
                if case .quantity(.other) = ColumnName(word.text).measure {
                    ColumnName(word.text).words.count > 1
                } else {
                    false
                }
            }
            guard isPower else { continue }
            throw Self.contradiction(
                "The values are power, not energy: \(name(column)) has '\(shown(words[0].text, most: 40))'.",
                "Export the energy of each half-hour; if they are that, say --unit kWh."
            )
        }
        if let named = layout.namedUnit, layout.above.isUnitSaid, options.unit == nil, layout.unit == nil,
            let other = layout.above.units.first, let measure = Measure(word: named),
            !layout.above.units.contains(where: { $0.value == measure })
        {
            throw Self.doubt(
                "What is the unit?",
                "The header says \(Measure.name(named)), line \(other.line) above it '\(shown(other.text, most: 20))'.",
                "--unit \(Measure.name(named)), or the unit above"
            )
        }
        let column = layout.unit
        let words = column.flatMap { evidence.words[$0] ?? nil } ?? []
        let measures = words.map { Measure(word: $0.text.trimmed) }
        let isVolume = measures.contains { if case .volume = $0 { true } else { false } }
        let isEnergy = measures.contains { if case .energy = $0 { true } else { false } }
        if let column, !words.isEmpty {
            if isVolume, !isEnergy, calorificValue == nil {
                throw Self.contradiction(
                    "The values are volumes, not energy: \(name(column)) has \(shown(words[0].text, most: 20)).",
                    "Give the supplier's calorific value (--calorific-value 39.5), or the column with kWh (--value-column)."
                )
            }
            if !isEnergy, !isVolume {
                guard measures.contains(where: { $0 == nil }), options.unit != nil else {
                    let list = words.prefix(4).map { "'\(shown($0.text, most: 20))'" }.joined(separator: ", ")
                    throw Self.contradiction(
                        "The values are not energy: \(name(column)) has \(list).",
                        "Only Wh, kWh, MWh and GWh can be imported; if the column says something else, say --ignore-column \(option(column)) --unit kWh."
                    )
                }
                unit = options.unit
                return say("unit", unit ?? "", .stated)
            }
            say(
                "unit",
                "by \(name(column)): \(words.prefix(4).map { shown($0.text, most: 20) }.joined(separator: ", "))",
                .named
            )
            return
        }
        if let named = layout.namedUnit {
            unit = named
            if case .volume = Measure(word: named), calorificValue == nil {
                let column = layout.value.map(name) ?? layout.periods.first.map { name($0.column) } ?? ""
                throw ImportError(
                    .wrongColumns,
                    "The column \(column) cannot be used: \(named) is a volume, not energy. Give the supplier's calorific value "
                        + "(--calorific-value 39.5), or the column with kWh (--value-column)."
                )
            }
            return say("unit", Measure.name(named), .named)
        }
        if let stated = options.unit {
            unit = stated.lowercased()
            if case .volume = Measure(word: stated), calorificValue == nil {
                throw ImportError(
                    .badOptions,
                    "A volume is converted with the supplier's calorific value: --calorific-value 39.5."
                )
            }
            return say("unit", Measure.name(stated), .stated)
        }
        if try decideUnitAbove() { return }
        if isOfGas(evidence) {
            throw Self.doubt(
                "What is \(layout.value.map(name) ?? "the value")?",
                "There are meters of gas, and nothing says whether it is energy, a volume or what the register shows.",
                "--unit kWh, or --unit m3 --calorific-value 39.5"
            )
        }
        say("unit", "kWh", .assumed)
    }

    /// Takes the unit that a line above the header says; whether one does.
    private mutating func decideUnitAbove() throws -> Bool {
        let units = layout.above.units
        let energies = units.filter { if case .energy = $0.value { true } else { false } }
        guard let first = energies.first ?? units.first else { return false }
        let place = "line \(first.line), above the header"
        let volumes = units.filter { if case .volume = $0.value { true } else { false } }
        if Set(energies.map(\.value)).count > 1 || !energies.isEmpty && !volumes.isEmpty {
            throw Self.doubt(
                "What is the unit?",
                "The lines above the header name \(Set(units.map(\.text)).sorted().joined(separator: ", ")).",
                "--unit kWh"
            )
        }
        switch first.value {
        case .quantity:
            throw Self.contradiction(
                "The values are not energy: \(place), says '\(shown(first.text, most: 20))'.",
                "Export the energy of each half-hour; if they are that, say --unit kWh."
            )
        case .volume where calorificValue == nil:
            throw Self.contradiction(
                "The values are volumes, not energy: \(place), says '\(shown(first.text, most: 20))'.",
                "Give the supplier's calorific value (--unit m3 --calorific-value 39.5), or the column with kWh (--value-column)."
            )
        case .energy, .volume: break
        }
        unit = first.text
        say("unit", "\(Measure.name(first.text)) by \(place)", .named)
        return true
    }

    /// Whether some of the meters are of gas, of which a value may be energy or a volume.
    private func isOfGas(_ evidence: Evidence) -> Bool {
        // Ireland's MPRNs of electricity have 11 digits.
        let isMPRN = layout.meter.map { ColumnName(layout.names[$0]).has(["mprn", "mpr"]) } ?? false
        if fuel == .gas, fuelColumn != nil || !isMPRN || evidence.hasGasNumbers { return true }
        if let fuelColumn, let words = evidence.words[fuelColumn] ?? nil,
            words.contains(where: { Catalogue.fuelWords[FileLayout.word($0.text)] == .gas })
        {
            return true
        }
        guard let meter = layout.meter else { return false }
        let name = ColumnName(layout.names[meter])
        return evidence.hasGasNumbers && layout.meterKind == .code && (name.has(["mpxn", "mprn"]) || name.has("point"))
    }

    mutating func decideRegister(_ evidence: Evidence, _ options: ImportOptions) throws {
        guard options.valueColumn == nil else { return }
        let column = layout.value.map(name) ?? "a day's columns"
        let answer =
            (layout.value ?? layout.periods.first?.column).map { "--value-column \(option($0))" } ?? ""
        if layout.isRegister {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                "So it is called, and there is no column with a consumption.",
                "export the consumption, or, if it is one, \(answer)"
            )
        }
        let isRising = layout.isVague && evidence.rising > 0 && evidence.rising * 2 >= evidence.telling
        if isRising || evidence.risingStrongly > 0 {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                evidence.telling > 1
                    ? "Of \(evidence.telling) meters the values of \(max(evidence.risingStrongly, isRising ? evidence.rising : 0)) only rise, or nearly."
                    : "Its values only rise, or nearly.",
                "export the consumption, or, if it is one, \(answer)"
            )
        }
    }

    mutating func decideTotal(_ evidence: Evidence) throws {
        guard let total = layout.total else { return }
        let (right, wrong) = (evidence.totalsRight, evidence.totalsWrong)
        let all = right.count + wrong.count
        guard all > 0 else { return }
        if wrong.count == 0 {
            return say("total", "\(name(total)) is the sum of the day on all \(counted(all, "row"))", .proved)
        }
        if evidence.totalsDouble == wrong.count, right.count == 0, evidence.totalsDouble > 1 || all == 1 {
            throw Self.contradiction(
                "\(name(total)) is half of the sum of the half-hours on all \(counted(all, "row")): the values seem to be power (kW), not energy.",
                "If it is something else, say --ignore-column \(option(total))."
            )
        }
        let isSum =
            ColumnName(layout.names[total]).has(Catalogue.totals)
            && !ColumnName(layout.names[total]).has(["import", "export"])
        if right.count > 0 || isSum {
            if right.count < wrong.count * 20 {
                throw Self.contradiction(
                    "\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line).",
                    "If it is something else, say --ignore-column \(option(total))."
                )
            }
            warnings.append(
                "\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line)."
            )
        }
    }
}
