import CommandSupport
import Headroom

/// A page of metrics, in Prometheus' text format (0.0.4) or as OpenMetrics (1.0).
package struct MetricsPage: Sendable {
    /// How a page is written down.
    package enum Format: Sendable {
        /// Prometheus' text format, version 0.0.4.
        case prometheus
        /// OpenMetrics 1.0.
        case openMetrics

        /// What the page is called in HTTP.
        package var contentType: String {
            switch self {
            case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
            case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
            }
        }
    }

    private enum Kind: String {
        case gauge
        case counter
    }

    private enum Line {
        case head(String, String, Kind)
        case sample(String)
    }

    private var content: [Line] = []

    package init() {}

    /// Begins a gauge, whose samples follow.
    package mutating func head(_ name: String, _ help: String) { content.append(.head(name, help, .gauge)) }

    /// Begins a counter, whose samples follow; its name ends in `_total`.
    package mutating func counter(_ name: String, _ help: String) { content.append(.head(name, help, .counter)) }

    /// Adds a sample.
    package mutating func sample(_ name: String, _ value: Double, _ labels: KeyValuePairs<String, String> = [:]) {
        let text = labels.map { "\($0.key)=\"\(Escaping.prometheusLabel(printable($0.value)))\"" }
            .joined(separator: ",")
        let number = value == value.rounded() && value.magnitude < 1e15 ? "\(Int(value))" : "\(value)"
        content.append(.sample("\(name)\(text.isEmpty ? "" : "{\(text)}") \(number)"))
    }

    /// Adds a gauge with one sample.
    package mutating func gauge(
        _ name: String,
        _ help: String,
        _ value: Double,
        _ labels: KeyValuePairs<String, String> = [:]
    ) {
        head(name, help)
        sample(name, value, labels)
    }

    /// The page, a line each.
    package func lines(_ format: Format) -> [String] {
        let lines = content.flatMap { line -> [String] in
            switch line {
            case .sample(let text):
                return [text]
            case .head(let name, let help, let kind):
                // OpenMetrics names a counter's family without what its samples end in.
                let isShort = format == .openMetrics && kind == .counter && name.ends(with: "_total")
                let family = isShort ? String(name.dropLast("_total".count)) : name
                return ["# HELP \(family) \(Escaping.prometheusHelp(help))", "# TYPE \(family) \(kind.rawValue)"]
            }
        }
        return format == .openMetrics ? lines + ["# EOF"] : lines
    }
}
