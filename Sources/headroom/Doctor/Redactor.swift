import Headroom

/// Takes secrets out of a text: those that are known, and what looks like one.
struct Redactor {
    private let secrets: [String]

    /// Creates a redactor.
    ///
    /// - Parameter secrets: The values that must not be in any text, in whatever form they may stand there.
    init(secrets: [String]) {
        let forms = secrets.flatMap { secret in
            [secret, Self.percentEncoded(secret), secret.replaced("\\", with: "\\\\").replaced("\"", with: "\\\"")]
        }
        // The longest first: one may be a part of another. A letter or two would turn all text to dots.
        self.secrets = Set(forms).filter { $0.utf8.count >= 3 }.sorted { $0.utf8.count > $1.utf8.count }
    }

    /// The text without them.
    func redacted(_ text: String) -> String {
        var text = text
        for secret in secrets { text = text.replaced(secret, with: Self.mark) }
        // In addresses, in flags, and in statements; by scalar, as a mark beside a sign must not hide what follows it.
        text.replace(/:\/\/[^\s\/@]*:[^\s@]*@/.matchingSemantics(.unicodeScalar)) { _ in "://\(Self.mark)@" }
        text.replace(
            /(?i)((?:password|passwd|pwd|secret|token|api[-_]?key)["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&]+)/
                .matchingSemantics(.unicodeScalar)
        ) {
            "\($0.output.1)\(Self.mark)"
        }
        text.replace(
            /(?i)(identified\s+(?:with\s+\S+\s+)?(?:by|as)\s+(?:password\s+)?)('[^']*'|"[^"]*")/
                .matchingSemantics(.unicodeScalar)
        ) {
            "\($0.output.1)\(Self.mark)"
        }
        return text
    }

    private static let mark = "[hidden]"

    private static func percentEncoded(_ text: String) -> String {
        // The signs that stand for themselves in every part of a URL.
        PercentEncoding.encoded(text) { byte in
            let sign = Unicode.Scalar(byte)
            return sign.isNameSign || sign == "~"
        }
    }
}
