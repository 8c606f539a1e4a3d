/// One promise that was put to the test on the user's own server, and what came of it.
public struct VerifyStep: Sendable, Hashable {
    /// The step's name, such as `open`, which scripts may rely on.
    public var name: String

    /// What was done, in words.
    public var what: String

    /// What came of it.
    public var result: Result

    /// Why, in words: the numbers seen when it passed, what was wrong when it failed, what was missing when it was skipped.
    public var why: String

    /// What to do next; empty when there is nothing.
    public var next: String

    /// How long it took.
    public var duration: Duration

    /// What comes of a step; the raw values are what `--json` prints.
    public enum Result: String, Sendable, Hashable {
        /// The promise held.
        case passed = "pass"
        /// The promise did not hold.
        case failed = "fail"
        /// It could not be put to the test, or was not to be.
        case skipped
    }

    /// Creates a step that is over.
    public init(
        _ name: String,
        _ what: String,
        _ result: Result,
        why: String,
        next: String = "",
        duration: Duration = .zero
    ) {
        self.name = name
        self.what = what
        self.result = result
        self.why = why
        self.next = next
        self.duration = duration
    }
}

/// What a whole run came to.
public struct VerifyVerdict: Sendable, Hashable {
    /// The steps, in the order in which they were taken.
    public var steps: [VerifyStep]

    /// Creates a verdict over steps.
    public init(_ steps: [VerifyStep] = []) {
        self.steps = steps
    }

    /// Whether every promise that was put to the test held.
    ///
    /// What was skipped is no failure; but a run in which nothing passed has proved nothing.
    public var hasPassed: Bool { count(.failed) == 0 && count(.passed) > 0 }

    /// How many steps came to this.
    public func count(_ result: VerifyStep.Result) -> Int { steps.count { $0.result == result } }
}
