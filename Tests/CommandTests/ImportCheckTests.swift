import TestSupport
import Testing

/// `headroom import --check` looks at a file without a database.
@Suite struct ImportCheckTests {
    private let folder = TemporaryFolder()

    @Test func `a good file exits with 0 and its counts, one with rejected rows with 1 and its problems`() async throws
    {
        let good = folder.write("mpan,start,value\nA,2024-01-01 00:00,1\n", to: "good.csv")
        let first = try await HeadroomProgram.run(["import", "--check", good])
        #expect(first.status == 0)
        #expect(first.output.contains("1, 0 of them rejected"))
        #expect(first.errors == "")
        let bad = folder.write("mpan,start,value\nA,2024-01-01 00:00,x\n", to: "bad.csv")
        let second = try await HeadroomProgram.run(["import", "--check", bad])
        #expect(second.status == 1)
        #expect(second.output.contains("line 2: value is 'x': it is not a number."))
        let json = try await HeadroomProgram.run(["import", "--check", "--json", bad])
        #expect(json.output.contains("\"rows_rejected\" : 1"))
        #expect(json.output.contains("\"first_date\" : null"))
    }

    @Test func `a file that cannot be used exits with 1, saying why`() async throws {
        let run = try await HeadroomProgram.run(["import", "--check", "/nowhere.csv"])
        #expect(run.status == 1)
        #expect(run.errors.contains("/nowhere.csv cannot be read"))
        // Without --check too, and before a database is looked for.
        let plain = try await HeadroomProgram.run(["import", "/nowhere.csv"])
        #expect(plain.status == 1)
        #expect(plain.errors.contains("/nowhere.csv cannot be read"))
    }
}
