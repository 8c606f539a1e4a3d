import Headroom
import HeadroomJobs

/// The name of a column, in words.
struct ColumnName: Hashable, Sendable {
    /// The name as the file writes it.
    let original: String

    /// The name in lower case, letters and digits only.
    let normalised: String

    /// The words and numbers of the name, in lower case; units and the word before them are words of their own.
    let words: [String]

    /// What stands in a bracket at its end, in lower case.
    let bracket: String?

    init(_ bytes: Bytes) {
        self.init(bytes.text)
    }

    init(_ text: String) {
        original = text
        var pieces: [[UInt8]] = []
        var piece: [UInt8] = []
        for scalar in text.unicodeScalars {
            let byte: UInt8? =
                switch scalar {
                case "0"..."9", "a"..."z", "A"..."Z": UInt8(scalar.value)
                case "\u{B3}": UInt8(ascii: "3")
                default: nil
                }
            if let byte {
                piece.append(byte)
            } else {
                if !piece.isEmpty { pieces.append(piece) }
                piece = scalar == "\u{A3}" ? Array("gbp".utf8) : []
            }
        }
        if !piece.isEmpty { pieces.append(piece) }
        words = pieces.flatMap(Self.words)
        normalised = words.joined()
        let open = text.utf8.lastIndex { $0 == UInt8(ascii: "(") || $0 == UInt8(ascii: "[") }
        if let open, let last = text.utf8.last, last == UInt8(ascii: ")") || last == UInt8(ascii: "]") {
            bracket = String(text.utf8[text.utf8.index(after: open)...].dropLast())?.lowercased()
        } else {
            bracket = nil
        }
    }

    /// The words of a piece of letters and digits: at a change of letters and digits, at a capital letter, and around a unit.
    private static func words(_ piece: [UInt8]) -> [String] {
        let lower = piece.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
        if Measure(word: String(decoding: lower, as: UTF8.self)) != nil {
            return [String(decoding: lower, as: UTF8.self)]
        }
        var runs: [(bytes: ArraySlice<UInt8>, isNumber: Bool)] = []
        var start = 0
        for index in 1...piece.count where index == piece.count || piece[index].isDigit != piece[start].isDigit {
            runs.append((piece[start..<index], piece[start].isDigit))
            start = index
        }
        return runs.flatMap { run in
            run.isNumber ? [String(decoding: run.bytes, as: UTF8.self)] : letters(Array(run.bytes))
        }
    }

    private static func letters(_ piece: [UInt8]) -> [String] {
        let lower = piece.map { $0 >= 65 && $0 <= 90 ? $0 + 32 : $0 }
        if Measure(word: String(decoding: lower, as: UTF8.self)) != nil {
            return [String(decoding: lower, as: UTF8.self)]
        }
        for unit in ["kvarh", "kvah", "kwh", "mwh", "gwh"] where lower.count > unit.utf8.count {
            let count = unit.utf8.count
            if lower.suffix(count).elementsEqual(unit.utf8) { return letters(Array(piece.dropLast(count))) + [unit] }
            if lower.prefix(count).elementsEqual(unit.utf8) { return [unit] + letters(Array(piece.dropFirst(count))) }
        }
        var words: [String] = []
        var word: [UInt8] = []
        for index in piece.indices {
            let isCapital = piece[index] <= 90
            let afterSmall = index > 0 && piece[index - 1] > 90
            let beforeSmall = index > 0 && index + 1 < piece.count && piece[index + 1] > 90
            if isCapital, afterSmall || beforeSmall, !word.isEmpty {
                words.append(String(decoding: word, as: UTF8.self))
                word = []
            }
            word.append(lower[index])
        }
        words.append(String(decoding: word, as: UTF8.self))
        return words
    }

    /// The name as a shell takes it for one word.
    var quoted: String { "'\(shown(original.trimmed, most: 200).replaced("'", with: "'\\''"))'" }

    /// How well the name suits one of these: 0 is the best; `nil` when it does not.
    func rank(_ names: [String]) -> Int? { names.firstIndex(of: normalised) }

    /// Whether one of the words is among these.
    func has(_ set: Set<String>) -> Bool { words.contains { set.contains($0) } }

    func has(_ word: String) -> Bool { words.contains(word) }

    /// What the name says its values are measured in.
    var measure: Measure? {
        if let bracket {
            if let measure = Measure(word: bracket) { return measure }
            if strangeUnit != nil { return nil }
        }
        return words.lazy.compactMap { Measure(word: $0) }.first
    }

    /// A unit in a bracket that is not known.
    var strangeUnit: String? {
        guard let bracket, Measure(word: bracket) == nil, (1...12).contains(bracket.utf8.count) else { return nil }
        let inside = ColumnName(bracket)
        let isWords = inside.words.allSatisfy {
            (Catalogue.quantityWords[$0] == nil || Measure(word: $0) != nil) && !Catalogue.totals.contains($0)
        }
        return isWords && !bracket.utf8.contains(32) && bracket.utf8.first != UInt8(ascii: "%") ? bracket : nil
    }

    /// The words with the numbers of a period left out: columns that have the same ones are a series.
    var template: String { words.filter { !$0.isPeriod }.joined(separator: " ") }

    /// The numbers of a period, and `am` or `pm`.
    var periodNumbers: [String] { words.filter(\.isPeriod) }
}

extension String {
    fileprivate var isPeriod: Bool { self == "am" || self == "pm" || !isEmpty && utf8.allSatisfy(\.isDigit) }
}
