/// Text as somebody would write it who wants a sign to pass for another, or not to be seen.
public enum HostileText {
    /// What changes how the sign beside it is seen: combining marks and those that go before, joiners, selectors, regional
    /// indicators, turns of direction, ends of lines, zero, and what a lone surrogate is read as.
    public static let marks: [Unicode.Scalar] = [
        "\u{300}", "\u{301}", "\u{338}", "\u{489}", "\u{20DD}", "\u{600}", "\u{605}", "\u{6DD}", "\u{70F}", "\u{8E2}",
        "\u{110BD}", "\u{200D}", "\u{200C}", "\u{FE0F}", "\u{FE0E}", "\u{E0100}", "\u{1F1E6}", "\u{1F1FF}", "\u{1F3FB}",
        "\u{0}", "\u{7}", "\u{1B}", "\r", "\n", "\t", "\u{85}", "\u{2028}", "\u{202E}", "\u{2066}", "\u{61C}",
        "\u{FFFD}",
        "\u{FEFF}", "\u{1100}", "\u{1161}", "\u{11A8}", "\u{93F}", "\u{E33}", "\u{37E}", "\u{212A}", "\u{E0041}",
    ]

    /// The signs that mean something to one output or another.
    public static let signs: [Unicode.Scalar] = Array("<>&\"'\\|%$`{}[]()=+-@#;:,./~!?* \r\n\ta1".unicodeScalars)

    /// A text of marks around special signs.
    ///
    /// - Parameter random: Where the choices come from.
    /// - Returns: The text; some are empty.
    public static func make(_ random: inout Seeded) -> String {
        var text = String.UnicodeScalarView()
        for _ in 0..<Int.random(in: 0...12, using: &random) {
            if random.isOne(in: 2) { text.append(random.pick(marks)) }
            text.append(random.pick(signs))
            if random.isOne(in: 2) { text.append(random.pick(marks)) }
        }
        return String(text)
    }
}
