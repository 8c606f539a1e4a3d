import Glibc
import TestSupport
import Testing

/// What the package installs besides the programs.
struct PackageFilesTests {
    private static let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
        .joined(separator: "/")

    /// The words in a folder's sources that look like a setting's name, in quotes.
    private static func names(in sources: String) -> Set<String> {
        var names: Set<String> = []
        for word in sources.split(separator: "\"") where word.hasPrefix("HEADROOM_") || word.hasPrefix("DB_") {
            let isName = word.allSatisfy { $0 == "_" || ($0.isASCII && ($0.isUppercase || $0.isNumber)) }
            if isName, !word.hasSuffix("_") { names.insert(String(word)) }
        }
        return names
    }

    /// What programs are given by Headroom, and what only the sandbox and the tests read.
    private static let others: Set<String> = [
        "HEADROOM_LEVEL", "HEADROOM_ALERT", "HEADROOM_CHANGE", "HEADROOM_SUBJECT", "HEADROOM_MESSAGE",
        "HEADROOM_ADVICE",
        "HEADROOM_USED", "HEADROOM_LIMIT", "HEADROOM_ACCOUNT", "HEADROOM_TIME", "HEADROOM_JOB_ID", "HEADROOM_JOB_FILE",
        "HEADROOM_JOB_REASON", "HEADROOM_SLOTS", "HEADROOM_SANDBOX_ADMIN_SOCKET", "HEADROOM_CACHE",
    ]

    @Test func `no setting is missing from the commented file, and none in it is unknown`() async throws {
        let sources =
            try await HeadroomProgram.run(
                "/bin/sh",
                [
                    "-c",
                    "cat Sources/Headroom/Settings/*.swift Sources/headroom/Support/*.swift Sources/headroom/WorkCommand.swift "
                        + "Sources/headroom-guard/Options/*.swift",
                ],
                in: Self.root
            )
            .output
        var known = Self.names(in: sources).subtracting(Self.others)
        // Made of their parts where they are read.
        known.formUnion(["USERNAME", "PASSWORD", "HOST", "PORT", "SOCKET"].map { "HEADROOM_ADMIN_\($0)" })
        known.insert("DATABASE_URL")
        #expect(known.count > 20, "\(known)")
        let file = try await HeadroomProgram.run("/bin/cat", ["\(Self.root)/deploy/headroom.env"]).output
        let listed = file.split(separator: "\n")
            .filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0.contains("=") }
            .map { String($0.dropFirst().prefix { $0 != "=" }) }
        #expect(Set(listed) == known)
        #expect(Set(listed).count == listed.count)
    }

    @Test func `the commented file with every line in force is taken by the program`() async throws {
        let folder = TemporaryFolder()
        let file = try await HeadroomProgram.run("/bin/cat", ["\(Self.root)/deploy/headroom.env"]).output
        // Those with a default; the others say how they are written.
        let values = file.split(separator: "\n")
            .filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") && $0.contains("=") && !$0.hasSuffix("=") }
            .map { $0.dropFirst() }
        let path = folder.write(
            values.joined(separator: "\n")
                + "\nDB_USERNAME=app\nDB_SOCKET=/nowhere/s\nHEADROOM_STATE_DIR=\(folder.path)\n",
            to: "env"
        )
        let run = try await HeadroomProgram.run(["slots", "--env-file", path])
        #expect(!run.errors.contains("must be"), "\(run.errors)")
        #expect(!run.errors.contains("cannot be used"), "\(run.errors)")
    }
}
