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
                        "Only Wh, kWh, MWh and GWh can be imported; if the column says something else, say --ignore-column \(name(column)) --unit kWh."
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
        if fuel == .gas, layout.isVague {
            throw Self.doubt(
                "What is \(layout.value.map(name) ?? "the value")?",
                "The meters are of gas, and no name says whether it is energy, a volume or what the register shows.",
                "--unit kWh, or --unit m3 --calorific-value 39.5"
            )
        }
        say("unit", "kWh", .assumed)
    }

    /// Finds the column that says how readings came about: by its name, and by its words.
    ///
    /// A word that is not known refuses the file where it tells many rows apart: an estimate must not become an actual.
    mutating func decideFlags(_ evidence: Evidence) throws {
        hasPeriodFlags = layout.periods.contains { $0.flag != nil }
        let ranked = layout.words
            .filter { $0 != layout.unit && $0 != fuelColumn && !layout.quantities.contains($0) }
            .compactMap { column -> (Int, Int)? in
                let name = ColumnName(layout.names[column])
                if let rank = name.rank(Catalogue.flags) { return (rank, column) }
                let isNamed = name.has(Catalogue.flagWords.subtracting(["type"])) && !name.has(["unit", "date"])
                return isNamed ? (Catalogue.flags.count, column) : nil
            }
            .sorted { $0 < $1 }
        for (_, column) in ranked {
            guard let words = evidence.words[column] ?? nil else { continue }
            let name = ColumnName(layout.names[column])
            let asYes = name.has(["est", "estimate", "estimated"]) && !name.has("actual")
            let known = words.count { Catalogue.flagWordsOfCells[FileLayout.word($0.text)] != nil }
            let yes = words.count { ReadingType.yes(FileLayout.word($0.text)) != nil }
            let isSure = name.rank(Catalogue.flags).map { Catalogue.sureFlags.contains(Catalogue.flags[$0]) } ?? false
            let isNamed =
                name.rank(Catalogue.flags).map { !Catalogue.unsureFlags.contains(Catalogue.flags[$0]) } ?? false
            if !(asYes && yes == words.count), isNamed || known > 0 { try requireKnown(words, column, evidence.rows) }
            if asYes, yes == words.count, known < words.count {
                (flag, isFlagYes) = (column, true)
            } else if known == words.count && (isSure || !words.isEmpty) || known > 0 {
                flag = column
            } else {
                continue
            }
            let estimates = words.filter {
                Catalogue.flagWordsOfCells[FileLayout.word($0.text)] == .estimated
                    || isFlagYes && ReadingType.yes(FileLayout.word($0.text)) == true
            }
            let list = estimates.map { shown($0.text, most: 20) }.joined(separator: " or ")
            say(
                "estimates",
                estimates.isEmpty ? "none by \(self.name(column))" : "where \(self.name(column)) is \(list)",
                .named
            )
            return
        }
        if hasPeriodFlags, let flag = layout.periods.first?.flag {
            say("estimates", "by the flags beside the values (\(name(flag)), …)", .named)
        }
    }

    /// Refuses words that are not known, and that tell apart more than three rows and one in a hundred; fewer are bad rows.
    private func requireKnown(_ words: [Evidence.Word], _ column: Int, _ rows: Int) throws {
        let unknown = words.filter { Catalogue.flagWordsOfCells[FileLayout.word($0.text)] == nil }
        let count = unknown.reduce(0) { $0 + $1.count }
        // One word in every row tells nothing apart.
        guard let first = unknown.max(by: { $0.count < $1.count }), count > 3, count * 100 > rows, first.count < rows
        else {
            return
        }
        throw Self.doubt(
            "Which readings are estimates?",
            "The word '\(shown(first.text, most: 20))' in \(name(column)) is not known (line \(first.line)).",
            "--ignore-column \(name(column)), if all are actual readings"
        )
    }

    mutating func decideRegister(_ evidence: Evidence, _ options: ImportOptions) throws {
        guard options.valueColumn == nil else { return }
        let column = layout.value.map(name) ?? "a day's columns"
        let option =
            layout.value.map { "--value-column \(name($0))" } ?? layout.periods.first.map {
                "--value-column \(name($0.column))"
            } ?? ""
        if layout.isRegister {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                "So it is called, and there is no column with a consumption.",
                "export the consumption, or, if it is one, \(option)"
            )
        }
        let isRising = layout.isVague && evidence.rising > 0 && evidence.rising * 2 >= evidence.telling
        if isRising || evidence.risingStrongly > 0 && evidence.risingStrongly * 2 >= evidence.tellingStrongly {
            throw Self.doubt(
                "Is \(column) the energy of each period, or what the register shows?",
                "Its values only rise.",
                "export the consumption, or, if it is one, \(option)"
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
                "If it is something else, say --ignore-column \(name(total))."
            )
        }
        let isSum =
            ColumnName(layout.names[total]).has(Catalogue.totals)
            && !ColumnName(layout.names[total]).has(["import", "export"])
        if right.count > 0 || isSum {
            if right.count < wrong.count * 20 {
                throw Self.contradiction(
                    "\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line).",
                    "If it is something else, say --ignore-column \(name(total))."
                )
            }
            warnings.append(
                "\(name(total)) is not the sum of the day on \(wrong.count) of \(counted(all, "row")); the first is line \(wrong.line)."
            )
        }
    }

    mutating func noteIgnored() {
        var used: Set<Int> = Set(
            [layout.date, layout.value, layout.meter, layout.unit, layout.total, flag, fuelColumn, chosenColumn]
                .compactMap(\.self)
        )
        used.formUnion(layout.quantities)
        for period in layout.periods + layout.extras {
            used.formUnion([period.column] + (hasPeriodFlags ? [period.flag].compactMap(\.self) : []))
        }
        switch layout.shape {
        case .dateAndTime(_, let time, _): used.insert(time)
        case .dateAndPeriod(_, let period, _): used.insert(period)
        case .daily(_, let time?, _): used.insert(time)
        default: break
        }
        let rest = layout.names.indices.filter { !used.contains($0) }.map { shown(layout.names[$0], most: 40) }
        ignored = Array(rest.filter { !$0.isEmpty && $0 != "reason" }.prefix(12)) + (rest.count > 12 ? ["…"] : [])
    }
}

extension ReadingType {
    /// Whether a word says yes, in a column that asks whether a reading is an estimate.
    static func yes(_ word: String) -> Bool? {
        switch word {
        case "y", "yes", "1", "true", "t", "e", "est", "estimated", "x": true
        case "n", "no", "0", "false", "f", "a", "act", "actual": false
        default: nil
        }
    }
}
