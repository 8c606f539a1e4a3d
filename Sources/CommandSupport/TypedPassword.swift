import ArgumentParser
import Glibc
import Synchronization

/// A password that a person types at the terminal (`--ask-pass`): it is in no argument, no file and no environment.
package enum TypedPassword {
    private static let typed = Mutex<String?>(nil)

    /// What was typed; `nil` when nobody was asked.
    static var value: String? { typed.withLock(\.self) }

    /// Asks once, on the terminal itself: standard input and output may be a pipe.
    ///
    /// It belongs into the parsing of the arguments: there is no task yet that it could hold up.
    ///
    /// - Throws: `ValidationError` where there is no terminal, `ExitCode` when the person gives up.
    static func ask() throws {
        guard value == nil else { return }
        let password = try read("Password")
        typed.withLock { $0 = password }
    }

    /// Asks for a password, whatever it is for, and shows nothing of it.
    ///
    /// - Throws: `ValidationError` where there is no terminal, `ExitCode` when the person gives up.
    package static func read(_ prompt: String) throws -> String {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        var usual = termios()
        guard terminal >= 0, tcgetattr(terminal, &usual) == 0 else {
            if terminal >= 0 { close(terminal) }
            throw ValidationError(
                "The password is asked for at the terminal, and this program runs without one. For --ask-pass: put it into "
                    + "DB_PASSWORD, or its file's path into DB_PASSWORD_FILE."
            )
        }
        defer { close(terminal) }
        // Without signals from keys: a program that dies here would leave a terminal that shows nothing that is typed.
        var silent = usual
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        tcsetattr(terminal, TCSAFLUSH, &silent)
        defer { tcsetattr(terminal, TCSAFLUSH, &usual) }
        write("\(prompt): ", to: terminal)
        defer { write("\n", to: terminal) }
        var line = TypedLine()
        while true {
            var byte: UInt8 = 0
            let count = Glibc.read(terminal, &byte, 1)
            if count < 0, errno == EINTR { continue }
            switch count == 1 ? line.take(byte) : .givenUp {
            case .goesOn: continue
            case .givenUp: throw ExitCode(128 + SIGINT)
            case .complete: return String(decoding: line.bytes, as: UTF8.self)
            }
        }
    }

    private static func write(_ text: String, to terminal: Int32) {
        var text = text
        _ = text.withUTF8 { Glibc.write(terminal, $0.baseAddress, $0.count) }
    }
}

/// A line as it comes from a keyboard without the terminal's help.
struct TypedLine {
    /// What stands in the line.
    private(set) var bytes: [UInt8] = []

    /// What a key leads to.
    enum Step {
        /// The line goes on.
        case goesOn
        /// The line is complete.
        case complete
        /// The user has given up.
        case givenUp
    }

    /// Takes the next byte.
    mutating func take(_ byte: UInt8) -> Step {
        switch byte {
        case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
            return .complete
        // Ctrl-C, Ctrl-D, Ctrl-\.
        case 3, 4, 28:
            return .givenUp
        // Backspace and delete take a whole character: its last byte and those that go on from its first.
        case 8, 127:
            while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
        // Ctrl-U.
        case 21:
            bytes = []
        default:
            bytes.append(byte)
        }
        return .goesOn
    }
}
