import Testing

@testable import CommandSupport

/// A command that is printed to be copied starts the program that printed it, with the same settings.
@Suite struct OwnCommandTests {
    private func completed(
        _ line: String,
        _ program: String = "/opt/x/headroom",
        _ files: [String] = ["--env-file", "a b.env"]
    ) -> String {
        OwnCommand.completed("  next: " + line, program: program, files: files)
    }

    @Test func `the program's path and the files of settings are in it`() {
        #expect(
            completed("free some: headroom rescue.")
                == "  next: free some: /opt/x/headroom rescue --env-file 'a b.env'."
        )
        #expect(
            completed("'headroom jobs show 4' or 'headroom kill-idle --dry-run' (headroom status)")
                == "  next: '/opt/x/headroom jobs show --env-file 'a b.env' 4' or '/opt/x/headroom kill-idle --env-file 'a b.env' --dry-run' "
                + "(/opt/x/headroom status --env-file 'a b.env')"
        )
        #expect(completed("headroom rescue", "headroom", []) == "  next: headroom rescue")
        #expect(completed("headroom rescue", "headroom") == "  next: headroom rescue --env-file 'a b.env'")
    }

    @Test(arguments: [
        "'headroom help' lists them", "see headroom's page", "headroom config list", "/run/headroom status",
        "a headroom",
    ])
    func `what is no command of that kind stays`(text: String) {
        #expect(completed(text, "headroom") == "  next: \(text)")
    }
}
