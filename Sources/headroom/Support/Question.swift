import CommandSupport
import Glibc
import Headroom

/// A question to the user at the terminal.
enum Question {
    /// Asks, and waits for a line.
    ///
    /// It looks for the line every 50 ms, and blocks no thread meanwhile, so that Ctrl-C ends the wait too.
    ///
    /// - Returns: Whether the answer begins with y; `nil` when standard input or standard error is no terminal.
    /// - Throws: `CancellationError`.
    static func ask(_ text: String) async throws -> Bool? {
        guard isatty(STDIN_FILENO) == 1, Console.isTerminal else { return nil }
        Console.write("\(text) [y/N] ")
        var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
        while poll(&entry, 1, 0) <= 0 { try await Task.sleep(for: .milliseconds(50)) }
        // A terminal gives a whole line at a time.
        guard let line = readLine() else { return false }
        return line.dropping { $0 == " " }.lowercased().begins(with: "y")
    }
}
