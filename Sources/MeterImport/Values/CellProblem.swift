/// Says what is wrong with a cell, as the end of a sentence.
struct CellProblem: Error, Equatable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}

/// A number with its noun, such as `1 row` and `2 rows`.
func counted(_ number: Int, _ noun: String) -> String { "\(number) \(noun)\(number == 1 ? "" : "s")" }
