/// The identification of a meter, as a file writes it.
enum MeterCode {
    /// The longest that the database holds (`varchar(21)`).
    static let longest = 21

    /// Reads a meter's identification.
    ///
    /// - Throws: ``CellProblem`` when it is missing, too long, or a spreadsheet has turned it into a rounded number.
    static func read(_ text: Bytes) throws(CellProblem) -> String {
        // A spreadsheet's apostrophe says "this is text" and is no part of it.
        let text = text.first == UInt8(ascii: "'") ? text.dropFirst().trimmed : text
        guard !text.isEmpty else { throw CellProblem("there is no meter") }
        let code = text.text
        guard code.unicodeScalars.count <= longest else {
            throw CellProblem("it is longer than the \(longest) characters that a meter's identification can have")
        }
        if isScientific(text) {
            throw CellProblem(
                "a spreadsheet has rounded it to a number in scientific notation; format the column as text and export again"
            )
        }
        guard !code.unicodeScalars.contains(where: { $0.value < 32 || $0.value == 127 || $0 == "\u{FFFD}" }) else {
            throw CellProblem("it holds characters that no meter's identification has, or that were lost on the way")
        }
        return code
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
