import FoundationEssentials
import Glibc
import Headroom

/// What a command finds: one JSON object for a program, lines for a person.
package protocol Report {
    /// The fields as `--json` prints them, behind the header.
    var json: JSONObject { get }

    /// The same for a person.
    var lines: [String] { get }
}

extension Console {
    /// Prints a report, as its lines or as one JSON object, which may stand on one line.
    package static func emit(_ report: some Report, asJSON isJSON: Bool, isLine: Bool = false) throws {
        if isJSON { try json(report.json, isLine: isLine) } else { for line in report.lines { print(line) } }
    }

    /// Prints one JSON object that begins with the header, its keys in a fixed order; over many lines, or on one.
    package static func json(_ value: some Encodable, isLine: Bool = false) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !isLine { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.keyEncodingStrategy = .convertToSnakeCase
        Swift.print(Escaping.json(String(decoding: try encoder.encode(Headed(value)), as: UTF8.self)))
        // A line is for somebody who reads along.
        if isLine { fflush(nil) }
    }
}

/// The fields of a JSON object by their names in it; nothing is `null`, so that every key is always there.
package struct JSONObject: Encodable, ExpressibleByDictionaryLiteral {
    private let fields: [(name: String, value: (any Encodable)?)]

    package init(dictionaryLiteral fields: (String, (any Encodable)?)...) { self.fields = fields }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: FieldName.self)
        for (name, value) in fields {
            if let value {
                try container.encode(value, forKey: FieldName(stringValue: name))
            } else {
                try container.encodeNil(forKey: FieldName(stringValue: name))
            }
        }
    }

    private struct FieldName: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }
}

/// Encodes nothing as `null`, so that every key is always there.
@propertyWrapper
package struct Nullable<Value: Encodable>: Encodable {
    package var wrappedValue: Value?

    package init(wrappedValue value: Value?) {
        wrappedValue = value
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        if let wrappedValue { try container.encode(wrappedValue) } else { try container.encodeNil() }
    }
}

/// A report with what every JSON output begins with in front, on one level.
package struct Headed<Report: Encodable>: Encodable {
    package var report: Report

    package init(_ report: Report) {
        self.report = report
    }

    package func encode(to encoder: any Encoder) throws {
        try JSONObject.header.encode(to: encoder)
        try report.encode(to: encoder)
    }
}

extension JSONObject {
    /// What every JSON output begins with.
    package static var header: JSONObject {
        [
            "schema_version": 1, "tool": "headroom", "version": headroomVersion,
            "generated_at": Date.now.formatted(.iso8601),
        ]
    }
}

extension Duration {
    /// The duration in seconds, to the millisecond.
    package var roundedSeconds: Double { (seconds * 1000).rounded() / 1000 }
}
