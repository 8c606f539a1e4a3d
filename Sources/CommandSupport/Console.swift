import Glibc
import Headroom

/// Prints results to standard output and everything else to standard error.
package enum Console {
    /// Whether standard error is a terminal, where a line can be drawn over.
    package static let isTerminal = isatty(STDERR_FILENO) == 1

    /// Prints a line of the result, without what could steer a terminal, or begin another line: a value in it may be anybody's.
    package static func print(_ line: String) {
        Swift.print(printable(OwnCommand.completed(line), keeping: "\t"))
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
        write(printable(OwnCommand.completed(line), keeping: "\t") + "\n")
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
}
