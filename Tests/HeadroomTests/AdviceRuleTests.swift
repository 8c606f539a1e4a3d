import Testing

@testable import Headroom

/// No error leaves its reader with nothing to do.
@Suite struct AdviceRuleTests {
    @Test func `every kind of error has something to do next, also when its maker said nothing`() {
        for guide in ErrorGuide.all {
            #expect(!DatabaseError(guide.code, message: "x").advice.isEmpty, "\(guide.code)")
            #expect(guide.cure.last == "." && guide.meaning.last == ".", "\(guide.code)")
        }
        #expect(DatabaseError(.statementFailed, message: "x", advice: "Do this.").advice == "Do this.")
    }

    @Test(arguments: [(1146, "headroom migrate"), (1046, "DB_DATABASE"), (1213, "try again"), (1142, "granted")])
    func `a refusal that people meet says what helps`(number: Int, word: String) {
        let error = StatementFailure.error(number, "no")
        #expect(error.serverCode == number)
        #expect(error.advice.contains(word))
    }
}
