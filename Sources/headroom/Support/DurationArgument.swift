import ArgumentParser
import Headroom

/// A duration on the command line: `300`, `0.5`, `500ms`, `5m`, `2h`.
struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    var value: Duration

    init(_ value: Duration) {
        self.value = value
    }

    init?(argument: String) {
        guard let value = Duration(text: argument) else { return nil }
        self.value = value
    }

    var description: String { "\(Int(value.seconds))" }

    var defaultValueDescription: String { "\(description) s" }
}
