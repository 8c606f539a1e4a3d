import HeadroomSandbox
import TestSupport
import Testing

/// What the documents say to type works as it stands there.
@Suite(.sandbox(tcp: true)) struct SnippetTests {
    @Test func `every command of a page runs`() async throws {
        var count = 0
        for page in try Page.all() {
            // It installs the package: scripts/test-package follows it word for word on a machine of its own.
            if page.path == "docs/getting-started.md" { continue }
            for (line, text) in page.blocks("sh") {
                let folder = TemporaryFolder()
                let bin = HeadroomProgram.path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
                    .joined(separator: "/")
                let environment = try SuiteServer.sandbox.environment.merging(
                    ["DB_USERNAME": "ten1", "PATH": "\(bin):/usr/local/bin:/usr/bin:/bin"]
                ) { $1 }
                let run = try await HeadroomProgram.run(
                    "/bin/sh",
                    ["-euc", text],
                    environment: environment,
                    in: folder.path
                )
                #expect(run.status == 0, "\(page.path):\(line): \(run.output) \(run.errors)")
                count += 1
            }
        }
        #expect(count > 8)
    }

    @Test func `every snippet of a page is in the file that is compiled`() throws {
        func essence(_ text: String) -> [String] {
            var lines: [String] = []
            for line in text.split(separator: "\n") {
                let line = line.drop { $0 == " " }
                if !line.isEmpty, !line.hasPrefix("import ") { lines.append(String(line)) }
            }
            return lines
        }
        let compiled = essence(try SourceFiles.text("Tests/DocumentationTests/Snippets.swift"))
        var count = 0
        for page in try Page.all() {
            for (line, text) in page.blocks("swift") {
                let wanted = essence(text)
                #expect(
                    Self.contains(compiled, wanted),
                    "\(page.path):\(line) is not in Snippets.swift:\n\(text)"
                )
                count += 1
            }
        }
        #expect(count > 6)
    }

    private static func contains(_ lines: [String], _ part: [String]) -> Bool {
        guard part.count <= lines.count else { return false }
        return (0...(lines.count - part.count)).contains { lines[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
