import Headroom

/// The identification of a meter, as a file writes it.
enum MeterCode {
    /// The longest that the database holds (`varchar(21)`).
    static let longest = 21

    /// Reads a meter's identification, without what spreadsheets and exports put around and into it.
    ///
    /// `="1200023305967"`, `1200023305967.0`, `12 0002 3305 967`, characters without width, and the 21 digits of a full MPAN, of
    /// which the last 13 are the meter's.
    ///
    /// - Throws: ``CellProblem`` when it is missing, too long, or a spreadsheet has turned it into a rounded number.
    static func read(_ text: Bytes) throws(CellProblem) -> String {
        // A spreadsheet's apostrophe says "this is text" and is no part of it.
        var text = text.first == UInt8(ascii: "'") ? text.dropFirst().trimmed : text
        if text.first == UInt8(ascii: "="), text.count > 3, text[1] == .quote, text.last == .quote {
            text = text.dropFirst(2).dropLast().trimmed
        }
        guard !text.isEmpty else { throw CellProblem("there is no meter") }
        if text.isAllDigits, text.count <= 13 { return text.text }
        if isScientific(text) {
            throw CellProblem(
                "a spreadsheet has rounded it to a number in scientific notation; format the column as text and export again"
            )
        }
        let scalars = text.text.unicodeScalars.filter { !hasNoWidth($0) }
        var code = String(String.UnicodeScalarView(scalars)).trimmed
        let compact = code.utf8.filter { $0 != 32 && $0 != UInt8(ascii: "-") }
        var digits = compact[...]
        if let point = digits.firstIndex(of: UInt8(ascii: ".")), digits[point...].dropFirst().allSatisfy({ $0 == 48 }) {
            digits = digits[..<point]
        }
        if digits.count >= 6, digits.allSatisfy(\.isDigit) {
            code = String(decoding: digits, as: UTF8.self)
            let core = String(decoding: digits.suffix(13), as: UTF8.self)
            if digits.count == 21, !hasWrongCheckDigit(core) { code = core }
        }
        guard !code.isEmpty else { throw CellProblem("there is no meter") }
        guard code.unicodeScalars.count <= longest else {
            throw CellProblem("it is longer than the \(longest) characters that a meter's identification can have")
        }
        guard !code.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 || $0 == "\u{FFFD}" }) else {
            throw CellProblem("it holds characters that no meter's identification has, or that were lost on the way")
        }
        if Catalogue.totalWords.contains(String(decoding: code.utf8.filter(\.isLetter), as: UTF8.self).lowercased()),
            !code.utf8.contains(where: \.isDigit)
        {
            throw CellProblem("it is a row of sums, not a meter's")
        }
        return code
    }

    /// Whether a character shows nothing: it comes from a web page or a document, and is no part of a number.
    private static func hasNoWidth(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0xAD, 0x200B...0x200F, 0x202A...0x202E, 0x2060...0x2064, 0xFEFF: true
        default: false
        }
    }

    /// Reads a meter's identification that a job carries.
    static func read(_ text: String) throws -> String {
        try Array(text.utf8)
            .withUnsafeBufferPointer { buffer in
                guard let start = buffer.baseAddress else { throw CellProblem("there is no meter") }
                return try read(Bytes(start: start, count: buffer.count).trimmed)
            }
    }

    /// Whether a 13-digit MPAN has a wrong check digit.
    ///
    /// The last digit is the sum of the first twelve, each times a prime, modulo 11 and then 10 (Elexon, MPAN core).
    static func hasWrongCheckDigit(_ code: String) -> Bool {
        let digits = code.utf8.map { Int($0) - 48 }
        guard digits.count == 13, digits.allSatisfy({ (0...9).contains($0) }) else { return false }
        let primes = [3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43]
        let sum = zip(digits, primes).reduce(0) { $0 + $1.0 * $1.1 }
        return sum % 11 % 10 != digits[12]
    }

    /// Whether it is the 13 digits of an MPAN with the right check digit.
    static func isMPAN(_ code: String) -> Bool {
        code.utf8.count == 13 && code.utf8.allSatisfy(\.isDigit) && !hasWrongCheckDigit(code)
    }

    /// Whether the text is like `1.20001E+12`.
    private static func isScientific(_ text: Bytes) -> Bool {
        guard let mark = text.firstIndex(of: UInt8(ascii: "E")) ?? text.firstIndex(of: UInt8(ascii: "e")), mark > 0
        else { return false }
        let mantissa = text.prefix(mark)
        var exponent = text.dropFirst(mark + 1)
        let isSigned = exponent.first == UInt8(ascii: "+") || exponent.first == UInt8(ascii: "-")
        if isSigned { exponent = exponent.dropFirst() }
        let hasPoint = mantissa.buffer.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        return (isSigned || hasPoint) && exponent.isAllDigits
            && mantissa.buffer.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
    }
}
