import CommandSupport
import Headroom

/// The table of errors for the terminal, and as the page `docs/errors.md`, which a test holds to be this.
enum ErrorsPage {
    /// Lines of 80 columns at most.
    static var lines: [String] {
        func lines(_ title: String, _ meaning: String, _ cure: String, _ retry: Retry) -> [String] {
            [title] + wrapped(meaning, width: 76).map { "    \($0)" }
                + wrapped("Cure: \(cure)", width: 76).map { "    \($0)" } + ["    Again: \(retry.rawValue)"]
        }
        return ErrorTable.kinds.flatMap { lines($0.code.description, shown($0.meaning), shown($0.cure), $0.retry) }
            + ["", "The servers' and the client library's numbers:", ""]
            + ErrorTable.numbers.flatMap { lines(title($0), meaning($0), shown($0.cure), $0.retry) }
    }

    static var markdown: String {
        let kinds = ErrorTable.kinds.map {
            "| `\($0.code)` | \(shown($0.meaning)) | \(shown($0.cure)) | \($0.retry.rawValue) |"
        }
        let numbers = ErrorTable.numbers.map {
            "| \($0.number) | `\($0.code)` | \(meaning($0)) | \(shown($0.cure)) | \($0.retry.rawValue) |"
        }
        return head + kinds.joined(separator: "\n") + middle + numbers.joined(separator: "\n") + tail
    }

    private static func title(_ number: ErrorTable.Number) -> String { "\(number.number) (\(number.code))" }

    private static func meaning(_ number: ErrorTable.Number) -> String {
        let words = number.words.isEmpty ? "" : "With \(number.words.joined(separator: " or ")) in the text: "
        if !number.meaning.isEmpty { return words + shown(number.meaning) }
        return words + (number.code == .statementFailed ? "As the server says." : "As the kind says.")
    }

    /// A text of the table with capitals where a message has a name.
    private static func shown(_ text: String) -> String {
        let names = ["place", "user", "database", "limit", "resource", "text"]
        return names.reduce(text) { $0.replaced("{\($1)}", with: $1.uppercased()) }
    }

    private static let head = """
        # Errors and exit codes

        This page is made by `headroom help errors --markdown` from the table that the program itself decides by; a test holds it
        to that. `headroom help errors` has the table in the terminal.

        Every error of the library is a `DatabaseError` with a code, which programs decide by, a message (what happened and why), an
        advice (what to do next), and where there is one the server's own number. The command prints message and advice on standard
        error.

        The last column says what trying again can do: `never` (nothing, before somebody changes something), `later` (it may pass by
        itself), `transaction` (run the whole transaction again), `other node` (another node of `DB_HOST` at once, the same one
        later). After `connection_lost` and `transaction_lost` nobody knows what took effect: only what may run twice may run again.

        | code | what it means | what to do | again |
        | --- | --- | --- | --- |

        """

    private static let middle = """


        ## By number

        The server's numbers, and the client library's (2000 and up). A number that is not here is said in the server's own words:
        `connect_failed` at the login, `statement_failed` later.

        | number | code | what it means | what to do | again |
        | --- | --- | --- | --- | --- |

        """

    private static let tail = """


        ## In a program

        ```swift
        do {
            try await database.withConnection { connection in
                try await connection.query("SELECT 1")
            }
        } catch let error as DatabaseError where error.isRefusal { print(error.message, error.advice, error.limit ?? 0) }
        ```

        Which of the five limits refused a connection, and what each means: [limits.md](limits.md).

        ## Exit codes of the command

        | command | codes |
        | --- | --- |
        | `status`, `guard --once` | 0 OK, 1 CAUTION (over 60 %), 2 WARNING (over 80 %) or EXHAUSTED, 3 UNKNOWN: as monitoring plugins exit |
        | `run` | the command's own; 75 when it was not started, because the lock or the slots could not be had in time, or the host gave no process for it; 127 when there is no such program |
        | `work --once` | 0, also when another worker is at work or nothing waits; 1 when a job failed |
        | `rescue` | 0 when the account can be used again, else 1 |
        | `config show` | 1 when a setting cannot be used |
        | `doctor` | 0 |
        | every other command | 0, or 1 when something failed |
        | all of them | 64 for a flag that is wrong; 71 when the host lacks what it takes to run at all, and 75 when others of its user have all threads ([limits of the host](running.md#limits-of-the-host); `status` and `guard --once` end with 3 then, but without `/proc` or a single descriptor, where their arguments cannot be read); 74 when the result cannot be written, as onto a full disk; 128 and the signal's number after a signal (130 for Ctrl-C, 143 for SIGTERM) |

        """
}
