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

            Examples:
              headroom doctor > report.txt
              headroom doctor --for-support
            """
    )

    @OptionGroup var connection: ConnectionOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Flag(help: "Print a page for the hosting's support instead: what is full, who holds it, what to ask for.")
    var forSupport = false

    func validate() throws {
        guard !json || !forSupport else { throw ValidationError("--for-support is for people, and no JSON.") }
    }

    func run() async throws {
        try await runCommand {
            if forSupport {
                let loaded = try connection.loaded(program: "headroom doctor", isForgiving: true)
                for line in try await SupportPage(loaded).lines { Console.print(line) }
                return
            }
            try Console.emit(await Checkup(connection.sources), asJSON: json)
        }
    }
}

extension Checkup: Report {
    var json: JSONObject {
        [
            "sections": sections.map { section -> JSONObject in
                ["title": section.title, "facts": section.facts.map { ["name": $0.name, "value": $0.value] }]
            }
        ]
    }

    var lines: [String] {
        sections.flatMap { [$0.title] + table($0.facts.map { [$0.name, $0.value] }) + [""] }
    }
}
