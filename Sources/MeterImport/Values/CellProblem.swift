/// Says what is wrong with a cell, as the end of a sentence.
struct CellProblem: Error, Equatable {
    var reason: String

    init(_ reason: String) {
        self.reason = reason
    }
}
