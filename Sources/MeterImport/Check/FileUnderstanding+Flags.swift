import Headroom
import HeadroomJobs

/// How the words of flags are read.
struct FlagWords: Codable, Hashable, Sendable {
    /// What yes means, in a column that asks a question.
    enum Yes: String, Codable, Hashable, Sendable {
        case estimated, actual
    }

    var yes: Yes?
    /// The words that the job says mean estimates, in lower case; all others that are not known mean actual readings.
    var estimates: [String]?

    /// Reads a flag.
    ///
    /// - Throws: ``CellProblem`` for a word that is not known.
    func type(_ cell: Bytes) throws(CellProblem) -> ReadingType {
        guard !cell.isEmpty else { return .actual }
        guard yes != nil || estimates != nil else { return try ReadingType(cell) }
        if let type = known(cell.text) { return type }
        return estimates != nil ? .actual : try ReadingType(cell)
    }

    /// What a word means; `nil` where it is not known.
    func known(_ text: String) -> ReadingType? {
        let word = FileLayout.word(text)
        if let estimates, estimates.contains(text.trimmed.lowercased()) { return .estimated }
        if let yes, let isYes = ReadingType.yes(word) { return isYes == (yes == .estimated) ? .estimated : .actual }
        return Catalogue.flagWordsOfCells[word]
    }
}

// Which readings are estimates.
extension FileUnderstanding {
    /// Finds the column that says how readings came about: by its name, and by its words.
    ///
    /// A word that is not known refuses the file where it tells rows apart: an estimate must not become an actual.
    mutating func decideFlags(_ evidence: Evidence, _ options: ImportOptions) throws {
        let stated = options.estimateWords
        flags.estimates = stated?.words
        if layout.hasPeriodFlags { try decidePeriodFlags(evidence) }
        if let column = stated?.column {
            guard
                let found = layout.names.firstIndex(where: {
                    ColumnName($0).normalised == ColumnName(column).normalised
                })
            else {
                throw ImportError(.badOptions, "There is no column '\(shown(column, most: 60))' (--estimates).")
            }
            flag = found
            let list = (stated?.words ?? []).map { shown($0, most: 20) }.joined(separator: " or ")
            return say("estimates", "where \(name(found)) is \(list)", .stated)
        }
        for (_, column) in flagColumns {
            // Words with a unit in them say what a row measures, and numbers how good it is.
            guard let words = evidence.words[column] ?? nil, !words.isEmpty,
                !words.allSatisfy({ ColumnName($0.text).measure != nil }),
                !words.allSatisfy({ Double($0.text) != nil }) || words.allSatisfy({ $0.text.utf8.count == 1 })
            else { continue }
            let name = ColumnName(layout.names[column])
            let rank = name.rank(Catalogue.flags)
            let isNamed =
                rank.map { !Catalogue.unsureFlags.contains(Catalogue.flags[$0]) }
                ?? (name.has(Catalogue.flagWords.union(Catalogue.estimateWords).subtracting(Catalogue.unsureFlags))
                    || name.has(Catalogue.unsureFlags) && name.has(["read", "reading", "data", "value"]))
            var read = flags
            let areYes = words.allSatisfy { ReadingType.yes(FileLayout.word($0.text)) != nil }
            if areYes, name.has(Catalogue.estimateWords), !name.has(Catalogue.actualWords) { read.yes = .estimated }
            if areYes, name.has(Catalogue.actualWords), !name.has(Catalogue.estimateWords),
                !words.contains(where: { ["a", "e"].contains(FileLayout.word($0.text)) })
            {
                read.yes = .actual
            }
            let known = words.count { read.known($0.text) != nil }
            // A column of another name is of flags where it speaks of estimates in words.
            let isByCells = words.contains {
                let word = FileLayout.word($0.text)
                return word.utf8.count > 2 && Catalogue.flagWordsOfCells[word] == .estimated
            }
            // Also a type or a status that tells rows apart, if nobody knows how.
            guard isNamed || isByCells || rank != nil && (known == words.count || words.count > 1) else { continue }
            // One word in every row tells nothing apart; a letter may be a code for estimates all the same.
            let isOne = words.count == 1 && words[0].count >= evidence.rows
            if known == 0, isOne, words[0].text.utf8.count > 2 { continue }
            if known < words.count, flags.estimates == nil { try requireKnown(words, read, column, evidence.rows) }
            (flag, flags) = (column, read)
            let estimates = words.filter { read.known($0.text) == .estimated }
            let list = estimates.map { shown($0.text, most: 20) }.joined(separator: " or ")
            say(
                "estimates",
                estimates.isEmpty ? "none by \(self.name(column))" : "where \(self.name(column)) is \(list)",
                .named
            )
            return
        }
    }

    /// The columns that may say how readings came about, the likeliest first.
    private var flagColumns: [(rank: Int, column: Int)] {
        layout.words
            .filter { $0 != layout.unit && $0 != fuelColumn && !layout.quantities.contains($0) }
            .map { column in
                let name = ColumnName(layout.names[column])
                let isNamed =
                    name.has(Catalogue.flagWords.subtracting(["type"]).union(Catalogue.estimateWords))
                    && !name.has(["unit", "date"])
                let rank = name.rank(Catalogue.flags) ?? Catalogue.flags.count + (isNamed ? 0 : 1)
                return (rank, column)
            }
            .sorted { $0 < $1 }
    }

    /// Reads the words of the flags beside the half-hours.
    private mutating func decidePeriodFlags(_ evidence: Evidence) throws {
        guard let column = layout.periods.compactMap(\.flag).first else { return }
        guard let words = evidence.flagWords else {
            throw Self.doubt(
                "What is in the columns beside the half-hours, such as \(name(column))?",
                "They have too many words for flags.",
                "--ignore-column \(option(column))"
            )
        }
        let name = ColumnName(layout.names[column])
        if name.has(Catalogue.estimateWords), !words.isEmpty,
            words.allSatisfy({ ReadingType.yes(FileLayout.word($0.text)) != nil })
        {
            flags.yes = .estimated
        }
        let unknown = words.filter { flags.known($0.text) == nil }
        if flags.estimates == nil, let first = unknown.first {
            throw Self.doubt(
                "Which readings are estimates?",
                "The word '\(shown(first.text, most: 20))' in \(self.name(column)) and the columns like it is not known (line \(first.line)).",
                "--estimates with the words that mean it, such as --estimates \(ColumnName(first.text).quoted), or --ignore-column "
                    + "\(option(column)), if all are actual readings"
            )
        }
        if !words.isEmpty { say("estimates", "by the flags beside the values (\(self.name(column)), …)", .named) }
    }

    /// Refuses words that are not known: where they tell more than one row in a hundred apart; fewer are bad rows.
    private func requireKnown(_ words: [Evidence.Word], _ read: FlagWords, _ column: Int, _ rows: Int) throws {
        let unknown = words.filter { read.known($0.text) == nil }
        let count = unknown.reduce(0) { $0 + $1.count }
        guard let first = unknown.max(by: { $0.count < $1.count }), count > 3, count * 100 > rows else { return }
        throw Self.doubt(
            "Which readings are estimates?",
            "The word '\(shown(first.text, most: 20))' in \(name(column)) is not known (line \(first.line)).",
            "--estimates \(ColumnName("\(layout.names[column])=\(first.text)").quoted), if that means it, or --ignore-column \(option(column)), if "
                + "all are actual readings"
        )
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
