import CommandSupport
import HeadroomWatch
import Logging

/// Writes events to standard error, one a line, words with values.
struct StandardErrorLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.notice

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let words: [(String, String?)] =
            [("time", LogLine.time()), ("level", event.level.rawValue), ("msg", "\(event.message)")]
            + facts.map { ($0.key, "\($0.value)") }
        Console.error(LogLine.text(words))
    }
}
