import Glibc
import TestSupport
import Testing

/// The outage, played by scripts/drill-lockout: nobody does anything but what is printed.
@Suite(.enabled(if: SuiteServer.isMariaDB)) struct LockoutDrillTests {
    @Test(arguments: [[], ["--distinct"]])
    func `who follows the printed advice only is back in within a minute, and no transaction is lost`(
        options: [String]
    ) async throws {
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let run = try await HeadroomProgram.run(
            "\(root)/scripts/drill-lockout",
            ["--program", HeadroomProgram.path] + options
        )
        #expect(run.status == 0, "\(run.output)\(run.errors)")
        // Which took it less than a minute, or it would have failed.
        #expect(run.output.contains("drill: back in after "))
        #expect(run.output.contains("the session in a transaction was spared"))
    }
}
