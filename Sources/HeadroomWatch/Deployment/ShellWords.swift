import Headroom

/// Splits a command line into words roughly as a shell does, to see what it runs; it expands nothing.
enum ShellWords {
    static func split(_ line: some StringProtocol) -> [String] {
        var words: [String] = []
        var word: String.UnicodeScalarView?
        var quote: Unicode.Scalar?
        var isEscaped = false
        for sign in line.unicodeScalars {
            if isEscaped {
                word = (word ?? .init()) + [sign]
                isEscaped = false
            } else if sign == "\\", quote != "'" {
                isEscaped = true
            } else if let open = quote {
                if sign == open { quote = nil } else { word = (word ?? .init()) + [sign] }
            } else if sign == "'" || sign == "\"" {
                quote = sign
                word = word ?? .init()
            } else if sign.isBlank || ";&|()".unicodeScalars.contains(sign) {
                if let end = word { words.append(String(end)) }
                word = nil
                // Where one command ends and the next begins.
                if !sign.isBlank, words.last != ";" { words.append(";") }
            } else {
                word = (word ?? .init()) + [sign]
            }
        }
        if let word { words.append(String(word)) }
        return words
    }
}
