import CKernel
import FoundationEssentials
import Glibc
import Headroom

/// Prints results to standard output and everything else to standard error.
package enum Console {
    /// Whether standard error is a terminal, where a line can be drawn over.
    package static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Has each line of the result go out at once, also into a pipe: for what runs long.
    package static func flushLines() {
        kernel_flush_lines()
    }

    /// Prints a line of the result, without what could steer a terminal, or begin another line: a value in it may be anybody's.
    package static func print(_ line: String) {
        Swift.print(printable(line, keeping: "\t"))
    }

    /// Prints lines of the result that are all our own, such as a page of help, without what could steer a terminal.
    package static func print(text: String) {
        Swift.print(printable(text, keeping: "\n\t"))
    }

    /// Prints a part of the result as it stands: what a program reads, or the orders for a terminal.
    package static func result(_ text: String) {
        Swift.print(text, terminator: "")
    }

    /// Prints a line that is no part of the result, without what could steer a terminal, or begin another line.
    package static func error(_ line: String) {
        write(printable(line, keeping: "\t") + "\n")
    }

    /// Prints text to standard error as it stands.
    package static func write(_ text: String) {
        var text = text
        _ = text.withUTF8 { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    /// Prints a part of a file's content: as it stands for a program, without what could steer a terminal for a person.
    package static func csv(_ text: String) {
        result(isatty(STDOUT_FILENO) == 1 ? printable(text, keeping: "\r\n\t") : text)
    }

    /// Prints one JSON object, its keys in a fixed order; over many lines, or on one.
    package static func json(_ value: some Encodable, isLine: Bool = false) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if !isLine { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.keyEncodingStrategy = .convertToSnakeCase
        Swift.print(Escaping.json(String(decoding: try encoder.encode(value), as: UTF8.self)))
        // A line is for somebody who reads along.
        if isLine { fflush(nil) }
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

/// What every JSON output begins with.
package struct JSONHeader: Encodable {
    package var schemaVersion = 1
    package var tool = "headroom"
    package var version = headroomVersion
    package var generatedAt = Date.now.formatted(.iso8601)

    package init() {}
}

/// A report with the header in front, on one level.
package struct Headed<Report: Encodable>: Encodable {
    package var report: Report

    package init(_ report: Report) {
        self.report = report
    }

    package func encode(to encoder: any Encoder) throws {
        try JSONHeader().encode(to: encoder)
        try report.encode(to: encoder)
    }
}
