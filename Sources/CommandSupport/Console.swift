@preconcurrency import CKernel
@preconcurrency import Glibc
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

extension Console {
    /// Sees to it that a result that could not be written, as onto a full disk, is told and ends the program with 74.
    ///
    /// (74 is EX_IOERR of sysexits.h.) A reader that has gone away is no matter for it: SIGPIPE ends the program.
    package static func reportLostOutput() {
        atexit {
            guard fflush(stdout) != 0 || ferror(stdout) != 0 else { return }
            Console.error("headroom: the result cannot be written: \(String(cString: strerror(errno))).")
            Console.error("  next: Look at where standard output leads: a full disk, or a file that is closed?")
            _exit(74)
        }
    }
}
