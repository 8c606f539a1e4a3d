import TestSupport

/// A page of the documents, taken apart.
struct Page {
    /// The path below the project's folder.
    var path: String

    private var lines: [Substring]

    init(_ path: String) throws {
        self.path = path
        lines = try SourceFiles.text(path).split(separator: "\n", omittingEmptySubsequences: false)
    }

    /// All pages: those of `docs`, those at the top, and those of the DocC catalogues.
    static func all() throws -> [Page] {
        let folders = ["docs", "Sources"].map { "\(SourceFiles.root)/\($0)" }
        let below = try folders.flatMap { try SourceFiles.below($0, ending: ".md") }
            .map { String($0.dropFirst(SourceFiles.root.count + 1)) }
        return try (["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"] + below).map { try Page($0) }
    }

    /// The blocks between fences of a language, with the line that each begins at.
    func blocks(_ language: String) -> [(line: Int, text: String)] {
        var blocks: [(line: Int, text: String)] = []
        var open: (line: Int, language: Substring, lines: [Substring])?
        for (index, line) in lines.enumerated() {
            guard line.hasPrefix("```") else {
                open?.lines.append(line)
                continue
            }
            if let block = open {
                if block.language == language { blocks.append((block.line, block.lines.joined(separator: "\n"))) }
                open = nil
            } else {
                open = (index + 2, line.dropFirst(3), [])
            }
        }
        return blocks
    }

    /// The lines outside of fences.
    private var prose: [(line: Int, text: Substring)] {
        var isInside = false
        return lines.enumerated()
            .compactMap { index, line in
                if line.hasPrefix("```") { isInside.toggle() }
                return isInside || line.hasPrefix("```") ? nil : (index + 1, line)
            }
    }

    /// Where its links lead, but for those to other sites.
    var links: [(line: Int, target: String)] {
        prose.flatMap { line, text in
            text.matches(of: /\]\(([^)\s]+)\)/).map { (line, String($0.output.1)) }
                .filter { !$0.1.hasPrefix("https://") && !$0.1.hasPrefix("http://") }
        }
    }

    /// The files of the documents that it names in code, such as `docs/slots.md`.
    var mentions: [(line: Int, target: String)] {
        prose.flatMap { line, text in
            text.matches(of: /`(docs\/[a-z0-9-]+\.md)`/).map { (line, String($0.output.1)) }
        }
    }

    /// The names by which a link can lead to a heading.
    var anchors: Set<String> {
        Set(
            prose.filter { $0.text.hasPrefix("#") }
                .map { _, text in
                    let title = text.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
                    return String(title.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" })
                        .replacing(" ", with: "-")
                }
        )
    }
}
