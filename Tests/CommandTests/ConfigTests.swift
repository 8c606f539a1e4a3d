import TestSupport
import Testing

/// The settings can be seen: what is in force, where it comes from, and what there is.
@Suite struct ConfigTests {
    private let folder = TemporaryFolder()
    private let secret = "x7-hush-hush"

    private func config(_ arguments: [String], _ environment: [String: String] = [:]) async throws
        -> HeadroomProgram.Output
    {
        try await HeadroomProgram.run(["config"] + arguments, environment: environment, in: folder.path)
    }

    @Test func `each value is shown with the flag, variable, file and line that it comes from`() async throws {
        folder.write("# app\nDB_HOST=db.example.org\nDB_PASSWORD=\(secret)\nDB_DATABASE=shop\n", to: ".env")
        let run = try await config(
            ["show", "--user", "mon"],
            ["HEADROOM_RESERVE": "2", "HEADROOM_ADMIN_USERNAME": "a", "HEADROOM_ADMIN_PASSWORD": secret]
        )
        #expect(run.status == 0, "\(run.errors)")
        func line(_ name: String) -> [Substring] {
            let line = run.output.split(separator: "\n").first { $0.hasPrefix("  \(name) ") } ?? ""
            return line.split(separator: "  ").map { $0.drop { $0 == " " } }
        }
        #expect(line("DB_HOST") == ["DB_HOST", "db.example.org", "line 2 of .env"])
        #expect(line("DB_USERNAME") == ["DB_USERNAME", "mon", "flag --user"])
        #expect(line("HEADROOM_RESERVE") == ["HEADROOM_RESERVE", "2", "the environment"])
        #expect(line("DB_PASSWORD") == ["DB_PASSWORD", "(set, hidden)", "line 3 of .env"])
        #expect(line("DB_PORT") == ["DB_PORT", "3306", "default"])
        #expect(!(run.output + run.errors).contains(secret))
    }

    @Test func `as JSON it has the same, and no secret`() async throws {
        let environment = [
            "HEADROOM_DATABASE_URL": "mysql://app:\(secret)@h:3307/shop", "HEADROOM_WEBHOOK": "https://h/\(secret)",
        ]
        let run = try await config(["show", "--json"], environment)
        #expect(run.status == 0, "\(run.errors)")
        #expect(run.output.contains("\"found_as\" : \"HEADROOM_DATABASE_URL\""))
        #expect(run.output.contains("\"value\" : \"3307\""))
        #expect(!(run.output + run.errors).contains(secret))
    }

    @Test func `what cannot be used is shown, said and exits with 1`() async throws {
        let run = try await config(
            ["show"],
            ["HEADROOM_BUDGET": "many", "HEADROOM_RESERV": "1", "DB_PASSWORD": secret, "DB_PASSWORD_FILE": "/nowhere"]
        )
        #expect(run.status == 1)
        #expect(run.output.contains("cannot be used: it must be a number from 1"))
        #expect(run.errors.contains("Did you mean HEADROOM_RESERVE?"))
        #expect(run.errors.contains("contradict each other"))
        #expect(!(run.output + run.errors).contains(secret))
    }

    @Test func `a place that another one outdoes is said not to be used`() async throws {
        let run = try await config(["show"], ["DB_SOCKET": "/x.sock", "DB_HOST": "h", "DB_USERNAME": "u"])
        #expect(run.output.contains("the environment; not used: DB_SOCKET in the environment is"))
    }

    @Test func `every line of the template is a setting with a value that can be used`() async throws {
        let template = try await config(["template"])
        let settings = template.output.split(separator: "\n").filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }
        #expect(settings.count > 20)
        // Without the second URL, which the first one's place would stand beside.
        folder.write(settings.map { "\($0.dropFirst())\n" }.joined(), to: "headroom.env", mode: 0o600)
        let run = try await config(["show", "--env-file", "headroom.env"])
        #expect(run.status == 0, "\(run.errors)")
        // And as it stands it sets nothing.
        folder.write(template.output, to: "untouched.env")
        let untouched = try await config(["show", "--env-file", "untouched.env"])
        #expect(!untouched.output.contains("line "))
    }

    @Test func `the page of the settings is the table`() async throws {
        let page = try await config(["list", "--markdown"])
        #expect(
            try SourceFiles.text("docs/settings.md") == page.output,
            "headroom config list --markdown > docs/settings.md"
        )
    }

    @Test func `the list fits a terminal of 80 columns`() async throws {
        let list = try await config(["list"])
        #expect(list.output.split(separator: "\n").allSatisfy { $0.count <= 80 })
        #expect(list.output.contains("HEADROOM_BUDGET"))
    }

    @Test func `the guard reads its settings from the file too`() async throws {
        folder.write("DB_SOCKET=/nowhere.sock\nDB_USERNAME=u\nHEADROOM_MAIL_TO=not an address\n", to: "guard.env")
        let run = try await HeadroomProgram.run(
            ["guard", "--once", "--env-file", "guard.env"],
            environment: ["HEADROOM_STATE_DIR": folder.path],
            in: folder.path
        )
        #expect(run.status == 3)
        #expect(run.errors.contains("address"), "\(run.errors)")
    }
}
