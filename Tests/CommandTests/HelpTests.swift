import TestSupport
import Testing

@testable import Headroom

/// The help in the terminal: topics, and what the pages say of errors.
@Suite struct HelpTests {
    private func topics() async throws -> [String] {
        let run = try await HeadroomProgram.run(["help"])
        let lines = run.output.split(separator: "\n").drop { !$0.hasPrefix("TOPICS") }.dropFirst()
        return lines.compactMap { $0.split(separator: " ").first.map(String.init) }
    }

    @Test func `every topic that is listed exists, and fits 80 columns`() async throws {
        let topics = try await topics()
        #expect(topics.count >= 8)
        for topic in topics {
            let run = try await HeadroomProgram.run(["help", topic])
            #expect(run.status == 0, "\(topic)")
            #expect(run.output.split(separator: "\n").count > 4, "\(topic)")
            for line in run.output.split(separator: "\n") { #expect(line.count <= 80, "\(topic): \(line)") }
        }
    }

    @Test func `pages that a topic names are there`() async throws {
        for topic in try await topics() {
            let text = try await HeadroomProgram.run(["help", topic]).output
            for page in text.matches(of: /docs\/[a-z-]+\.md/) { _ = try SourceFiles.text(String(page.output)) }
        }
    }

    @Test func `help with a command shows its options`() async throws {
        #expect(try await HeadroomProgram.run(["help", "jobs", "add"]).output.contains("USAGE: headroom jobs add"))
    }

    @Test(arguments: ["status", "kill-idle", "rescue"])
    func `a command that is parsed by itself has its help and its errors from the whole`(command: String) async throws {
        let help = try await HeadroomProgram.run([command, "--help"])
        #expect(help.status == 0)
        #expect(help.output.contains("USAGE: headroom \(command) "))
        #expect(try await HeadroomProgram.run(["help", command]).output == help.output)
        let wrong = try await HeadroomProgram.run([command, "--no-such-flag"])
        #expect(wrong.status == 64)
        #expect(wrong.errors.contains("See 'headroom \(command) --help'"))
        #expect(
            try await HeadroomProgram.run([command, "--version"]).output == HeadroomProgram.run(["--version"]).output
        )
        let script = try await HeadroomProgram.run([command, "--generate-completion-script", "bash"])
        #expect(script.output.contains("kill-idle"))
    }

    @Test func `an unknown topic is an error that names the one that was meant`() async throws {
        let run = try await HeadroomProgram.run(["help", "locked_out"])
        #expect(run.status == 64)
        #expect(run.errors.contains("did you mean 'locked-out'?"))
    }

    @Test func `the page of the errors is the table, and the terminal has it in 80 columns`() async throws {
        let page = try await HeadroomProgram.run(["help", "errors", "--markdown"])
        #expect(
            try SourceFiles.text("docs/errors.md") == page.output,
            "headroom help errors --markdown > docs/errors.md"
        )
        let lines = try await HeadroomProgram.run(["help", "errors"]).output.split(separator: "\n")
        #expect(lines.allSatisfy { $0.count <= 80 })
        for kind in ErrorTable.kinds { #expect(lines.contains("\(kind.code)")) }
        for row in ErrorTable.numbers { #expect(lines.contains("\(row.number) (\(row.code))")) }
    }
}
