import ArgumentParser
import Headroom

/// A duration on the command line: `300`, `0.5`, `500ms`, `5m`, `2h`.
package struct DurationArgument: ExpressibleByArgument, CustomStringConvertible {
    package var value: Duration

    package init(_ value: Duration) {
        self.value = value
    }

    package init?(argument: String) {
        guard let value = Duration(text: argument) else { return nil }
        self.value = value
    }

    package var description: String { "\(Int(clamped: value.seconds))" }

    package var defaultValueDescription: String { "\(description) s" }
}
