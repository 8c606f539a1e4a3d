import CLibrary

/// What servers say in their errors, made into messages.
enum ServerWords {
    /// Makes an error of a number and its words.
    ///
    /// - Parameters:
    ///   - number: The server's or the client library's number.
    ///   - text: Its words.
    ///   - isOfLogin: Whether there was no session yet.
    ///   - code: The kind, where more is known than the number says.
    ///   - cause: What the operating system said.
    ///   - facts: What the table's texts leave to be filled in, by its name.
    /// - Returns: The error.
    static func error(
        _ number: Int,
        _ text: String,
        isOfLogin: Bool,
        code: DatabaseError.Code? = nil,
        cause: String = "",
        facts: [String: String] = [:]
    ) -> DatabaseError {
        let text = printable(text)
        let (resource, limit) = number == 1226 ? Self.resource(in: text) : (nil, nil)
        // Of a 1226 the resource decides: what else stands there is the user's name.
        let words = number == 1226 ? resource ?? "" : text
        let row = ErrorTable.number(number, isOfLogin: isOfLogin, text: words, code: code)
        let kind = ErrorTable.kind(code ?? row?.code ?? (isOfLogin ? .connectFailed : .statementFailed))
        var facts = facts
        facts["text"] = text
        facts["resource"] = resource ?? "of the server"
        facts["limit"] = limit.map(String.init) ?? "unknown"
        let meaning = row.map(\.meaning) ?? ""
        // The server says most about a refused statement.
        let usual = kind.code == .statementFailed ? "{text}" : kind.meaning
        let message = filled(meaning.isEmpty ? usual : meaning, facts)
        return DatabaseError(
            kind.code,
            message: "\(message.ends(with: ".") ? message.dropLast() : message[...]) (error \(number)\(cause)).",
            advice: filled(row?.cure ?? kind.cure, facts),
            serverCode: number,
            limit: limit,
            resource: resource ?? Self.resource(of: number)
        )
    }

    /// The limit that the number alone names.
    private static func resource(of number: Int) -> String? {
        switch number {
        case 1203: "max_user_connections"
        case 1040: "max_connections"
        default: nil
        }
    }

    /// A text of the table with its `{names}` filled in; what is filled in is not looked at again.
    static func filled(_ template: String, _ facts: [String: String]) -> String {
        let parts = template.pieces(separator: "{", omittingEmptySubsequences: false)
        return parts.dropFirst()
            .reduce(String(parts[0])) { text, part in
                let pair = part.pieces(separator: "}", omittingEmptySubsequences: false)
                return text + (facts[String(pair[0])] ?? "") + (pair.count > 1 ? String(pair[1]) : "")
            }
    }

    /// What a server has sent as text: bytes that are no UTF-8 as `\xNN`.
    static func text(_ bytes: UnsafePointer<CChar>) -> String {
        if let text = String(validatingCString: bytes) { return text }
        return UnsafeBufferPointer(start: bytes, count: strlen(bytes))
            .map { byte in
                let byte = UInt8(bitPattern: byte)
                return byte < 0x80 ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
            }
            .joined()
    }

    /// Words as they can be shown: ends of lines as blanks, whatever else steers a terminal as `\xNN`.
    static func printable(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: \.steers) else { return text }
        return text.unicodeScalars.reduce(into: "") { words, scalar in
            if scalar.isBlank {
                words += " "
            } else if scalar.steers {
                words += "\\x" + String(scalar.value, radix: 16)
            } else {
                words.unicodeScalars.append(scalar)
            }
        }
    }

    /// The resource that a 1226 names, and the number in its parentheses.
    ///
    /// Both are read from the text's end, and neither is translated: the user's name, which may hold quotes, numbers and the
    /// name of a resource, stands in front.
    static func resource(in text: String) -> (name: String?, limit: Int?) {
        let scalars = Array(text.unicodeScalars)
        let name = scalars.indices.reversed()
            .first { scalars[$0...].starts(with: "max_".unicodeScalars) }
            .map { start in scalars[start...].prefix { $0.isLatinLetter || $0 == "_" } }
        let digits = scalars.reversed().drop { !$0.isDigit }.prefix(while: \.isDigit)
        let number = Int(String(String.UnicodeScalarView(digits.reversed())))
        let behind = scalars.reversed().drop { !$0.isDigit }.drop(while: \.isDigit).first
        return (
            name.map { String(String.UnicodeScalarView($0)) },
            behind == "-" ? number.map { -$0 } : number
        )
    }

    /// The refusal within the client library's words for one that came in the place of TLS: its number and its own words.
    static func unverified(in text: String) -> (number: Int, text: String)? {
        guard let place = text.place(of: "cannot be verified: ") else { return nil }
        let rest = text[place.upperBound...]
        let digits = rest.leading(\.isDigit)
        guard let number = Int(digits), !ConnectFailure.isOfTheLine(number), number >= 1000,
            let words = rest.dropping(\.isDigit).after(" - ")
        else { return nil }
        return (number, String(words))
    }

    /// The operating system's error number that the client library puts at the end of its text, as in `(111)`.
    static func systemError(in text: String) -> Int32? {
        guard let open = text.unicodeScalars.lastIndex(of: "("), let close = text.unicodeScalars.lastIndex(of: ")"),
            open < close
        else { return nil }
        // "(111)", and "(111 "Connection refused")" in other builds of the library.
        return Int32(text[text.unicodeScalars.index(after: open)..<close].leading(\.isDigit))
    }
}
