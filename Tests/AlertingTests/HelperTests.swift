import TestSupport
import Testing

@testable import Alerting

@Suite struct HelperTests {
    private let own = [
        "PATH": "/bin", "HOME": "/home/a", "LANG": "C", "TZ": "UTC", "USER": "a", "DB_PASSWORD": "hush",
        "DATABASE_URL": "mysql://a:hush@h/d", "MYSQL_PWD": "hush", "HEADROOM_WEB_TOKEN": "hush",
        "CREDENTIALS_DIRECTORY": "/run/credentials/x", "SOME_PASSWORD": "hush", "LD_PRELOAD": "/tmp/x.so",
        "https_proxy": "http://proxy", "HTTP_PROXY": "http://from-a-header",
    ]

    @Test func `a helper is given five names of the environment and what it is told, and nothing else`() {
        let environment = Helper.environment(own, adding: ["HEADROOM_MESSAGE": "full"])
        #expect(
            environment == [
                "PATH": "/bin", "HOME": "/home/a", "LANG": "C", "TZ": "UTC", "USER": "a", "HEADROOM_MESSAGE": "full",
            ]
        )
        #expect(Helper.environment([:])["PATH"]?.contains("/usr/bin") == true)
        #expect(Helper.environment(own, keeping: ["https_proxy"])["https_proxy"] == "http://proxy")
    }

    @Test func `a zero byte ends no value early, and none is longer than the kernel takes`() {
        let values = ["A": "one\0two", "B": "one\0\u{301}two", "C": String(repeating: "é", count: 100_000)]
        let environment = Helper.environment([:], adding: values)
        #expect(environment["A"] == "onetwo")
        #expect(environment["B"]?.utf8.contains(0) == false)
        #expect(environment["C"].map { $0.utf8.count < 100_000 } == true)
    }

    @Test func `programs are started where this list says why, and everything else takes Helper`() throws {
        let starts = /Subprocess\s*\.run\(|(posix|kernel)_spawn\(|popen\(|\bsystem\("|Process\(\)\.run/
        let root = "\(SourceFiles.root)/Sources"
        let found = try SourceFiles.below(root, ending: ".swift")
            .filter { try SourceFiles.text($0).firstMatch(of: starts) != nil }
            .map { String($0.dropFirst(root.count + 1)) }
        let known: [String: String] = [
            "Alerting/Helper.swift": "the place itself",
            "HeadroomSandbox/Keeper.swift": "a private server",
            "HeadroomSandbox/Program.swift": "a private server",
            "headroom/Setup/SetupWork.swift": "this program once more, to stay",
            "headroom/Support/Child.swift": "what the user runs, with the environment they meant for it",
            "headroom/Up/Supervisor.swift": "this program once more, with its settings",
            "headroom/Verify/SelfTest+Steps.swift": "this program once more, with its settings",
        ]
        #expect(Set(found) == Set(known.keys))
    }
}
