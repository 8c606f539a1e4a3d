import Headroom

/// What a step found, before it is known how long it took.
enum Finding: Equatable {
    case passed(String)
    case failed(String, next: String = "")
    case skipped(String, next: String = "")

    /// A failure that an error explains.
    init(_ error: any Error) {
        if let error = error as? DatabaseError {
            self = .failed(error.message, next: error.advice)
        } else {
            self = .failed("\(error)")
        }
    }

    func step(_ name: String, _ what: String, _ duration: Duration) -> VerifyStep {
        switch self {
        case .passed(let why): VerifyStep(name, what, .passed, why: why, duration: duration)
        case .failed(let why, let next): VerifyStep(name, what, .failed, why: why, next: next, duration: duration)
        case .skipped(let why, let next): VerifyStep(name, what, .skipped, why: why, next: next, duration: duration)
        }
    }
}
