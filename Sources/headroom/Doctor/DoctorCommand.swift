import ArgumentParser
import CommandSupport
import Headroom

/// `headroom doctor`: what a bug report needs.
struct DoctorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Gathers what a bug report needs, without secrets.",
        discussion: """
            Versions, settings with where they come from, the state folder with its rights, slots, locks, the host, and the \
            server if it answers within 5 s. Changes nothing, and works when the account is full, the server away or a \
            setting wrong. Passwords, addresses of webhooks, labels and arguments of programs are left out; names of hosts, \
            accounts and databases stay: read it before you post it.

            Example:
              headroom doctor > report.txt
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        try await runCommand {
            let checkup = await Checkup(connection.sources)
            if json {
                try Console.json(DoctorJSON(checkup))
            } else {
                for section in checkup.sections {
                    Console.print(section.title)
                    for line in table(section.facts.map { [$0.name, $0.value] }) { Console.print(line) }
                    Console.print("")
                }
            }
        }
    }
}

/// The same as JSON.
private struct DoctorJSON: Encodable {
    struct Section: Encodable {
        var title: String
        var facts: [Fact]
    }

    struct Fact: Encodable {
        var name: String
        var value: String
    }

    var sections: [Section]

    init(_ checkup: Checkup) {
        sections = checkup.sections.map { section in
            Section(title: section.title, facts: section.facts.map { Fact(name: $0.name, value: $0.value) })
        }
    }
}
