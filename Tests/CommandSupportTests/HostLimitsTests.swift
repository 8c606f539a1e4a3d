import Testing

@testable import CommandSupport

/// What a host lacks is found before anything is done, and said with what to do about it.
@Suite struct HostLimitsTests {
    private let need = HostLimits.Need(descriptors: 16, megabytes: 24, threads: 4)
    private let enough = HostLimits.Facts(descriptors: 16, threads: 4)

    @Test func `a host that gives just enough lacks nothing`() {
        #expect(HostLimits.lack(enough, for: need) == nil)
    }

    @Test(
        arguments: [
            ("clocks", 71), ("Descriptor 1 is closed", 71), ("16 descriptors", 71), ("/proc", 71), ("24 MB", 71),
            ("4 further threads", 75),
        ] as [(String, Int32)]
    )
    func `each lack is told by itself, and whether others can end it`(words: String, code: Int32) throws {
        var facts = enough
        switch words {
        case "clocks": facts.hasClock = false
        case "Descriptor 1 is closed": facts.closed = [1]
        case "16 descriptors": facts.descriptors = 15
        case "/proc": facts.hasProcess = false
        case "24 MB": facts.hasMemory = false
        default: facts.threads = 3
        }
        let lack = try #require(HostLimits.lack(facts, for: need))
        #expect(lack.message.contains(words))
        #expect(!lack.advice.isEmpty)
        #expect(lack.exitCode == code)
        var monitored = need
        monitored.failureCode = 3
        #expect(HostLimits.lack(facts, for: monitored)?.exitCode == 3)
    }
}
