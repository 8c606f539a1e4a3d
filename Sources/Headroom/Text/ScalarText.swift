/// Text from outside, taken apart by its bytes and unicode scalars.
///
/// A `Character` is the wrong unit for it: "\r\n" is one that equals neither, and U+0600 before a quote or a combining mark
/// after it makes one that is no quote any more. A sign of ASCII is the same byte whatever stands beside it.
package protocol ScalarText {
    /// All of it.
    var whole: Substring { get }
}

extension String: ScalarText {
    package var whole: Substring { self[...] }
}

extension Substring: ScalarText {
    package var whole: Substring { self }
}

extension ScalarText {
    /// The text between separators.
    ///
    /// - Parameters:
    ///   - separator: What stands between.
    ///   - maxSplits: After so many separators the rest is one piece.
    ///   - omittingEmptySubsequences: Whether empty pieces are left out.
    /// - Returns: The pieces.
    package func pieces(
        separator: Unicode.Scalar,
        maxSplits: Int = .max,
        omittingEmptySubsequences: Bool = true
    ) -> [Substring] {
        whole.unicodeScalars
            .split(
                separator: separator,
                maxSplits: maxSplits,
                omittingEmptySubsequences: omittingEmptySubsequences
            )
            .map(Substring.init)
    }

    /// The text between scalars of a kind, without empty pieces.
    package func pieces(where isSeparator: (Unicode.Scalar) -> Bool) -> [Substring] {
        whole.unicodeScalars.split(whereSeparator: isSeparator).map(Substring.init)
    }

    /// Whether the text begins with these bytes.
    package func begins(with start: some StringProtocol) -> Bool { whole.utf8.starts(with: start.utf8) }

    /// Whether the text ends with these bytes.
    package func ends(with end: some StringProtocol) -> Bool {
        whole.utf8.suffix(end.utf8.count).elementsEqual(end.utf8)
    }

    /// Whether these bytes are somewhere in the text.
    package func holds(_ part: some StringProtocol) -> Bool { place(of: String(part)) != nil }

    /// What follows the bytes that the text begins with; `nil` when it begins otherwise.
    package func after(_ start: some StringProtocol) -> Substring? {
        guard begins(with: start) else { return nil }
        return Substring(whole.utf8.dropFirst(start.utf8.count))
    }

    /// Where these bytes are first.
    package func place(of part: String) -> Range<String.Index>? {
        let bytes = whole.utf8
        guard let first = part.utf8.first else { return bytes.startIndex..<bytes.startIndex }
        let length = part.utf8.count
        var rest = bytes[...]
        while let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: part.utf8) { return start..<bytes.index(start, offsetBy: length) }
            rest = rest.dropFirst()
        }
        return nil
    }

    /// The text with other bytes in the place of some.
    package func replaced(_ part: String, with other: String) -> String {
        guard !part.isEmpty, var place = place(of: part) else { return String(whole) }
        var text = ""
        var rest = whole
        while true {
            text += rest[..<place.lowerBound]
            text += other
            rest = rest[place.upperBound...]
            guard let next = rest.place(of: part) else { return text + rest }
            place = next
        }
    }

    /// The text without scalars of other kinds.
    package func keeping(_ isKept: (Unicode.Scalar) -> Bool) -> String {
        String(String.UnicodeScalarView(whole.unicodeScalars.filter(isKept)))
    }

    /// The text up to the first scalar of another kind.
    package func leading(_ belongs: (Unicode.Scalar) -> Bool) -> Substring {
        Substring(whole.unicodeScalars.prefix(while: belongs))
    }

    /// The text from the first scalar of another kind on.
    package func dropping(_ belongs: (Unicode.Scalar) -> Bool) -> Substring {
        Substring(whole.unicodeScalars.drop(while: belongs))
    }

    /// The text without blanks at its ends.
    package var trimmed: String {
        let start = whole.unicodeScalars.drop(while: \.isBlank)
        guard let last = start.lastIndex(where: { !$0.isBlank }) else { return "" }
        return String(Substring(start[...last]))
    }

    /// Whether every scalar is of a kind.
    package func isAll(_ belongs: (Unicode.Scalar) -> Bool) -> Bool { whole.unicodeScalars.allSatisfy(belongs) }
}

extension Unicode.Scalar {
    /// Whether it is a blank, a tab or an end of line, in ASCII.
    package var isBlank: Bool { self == " " || (0x09...0x0D).contains(value) }

    /// Whether it ends a line, in ASCII.
    package var endsLine: Bool { self == "\n" || self == "\r" }

    /// Whether it steers a terminal, turns a line round or ends one: control and format characters (U+0600 too, which takes the
    /// sign after it along), what nobody sees, and the ends of lines that look like none.
    package var steers: Bool {
        if isASCII { return value < 0x20 || value == 0x7F }
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: return true
        default: return properties.isDefaultIgnorableCodePoint
        }
    }

    /// Whether it is one of 0 to 9.
    package var isDigit: Bool { (0x30...0x39).contains(value) }

    /// Whether it is one of A to Z, a to z.
    package var isLatinLetter: Bool { (0x41...0x5A).contains(value) || (0x61...0x7A).contains(value) }

    /// Whether it may stand in a name that is a file's: a letter, a digit, `_`, `-` or `.`.
    package var isNameSign: Bool { isLatinLetter || isDigit || self == "_" || self == "-" || self == "." }
}
