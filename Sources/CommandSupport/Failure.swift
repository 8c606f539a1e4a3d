import ArgumentParser
import Glibc
package import Headroom
import Synchronization

/// Runs a command's work: turns errors into one clear message and an exit code, and Ctrl-C into a cancellation.
///
/// A first SIGINT, SIGTERM or SIGHUP cancels the work, which closes its connections; a second one ends the program at once.
///
/// - Parameters:
///   - failureCode: The exit code for an error; `status` has its own. By default 1, or 75 when the host lacks something, or 3 when
///     another session has locked what is needed.
///   - hears: Signals to be offered beside those that end a command; they cancel nothing.
///   - mayDumpCore: Whether a crash may leave a core file: only for what starts other people's programs, which inherit that.
///   - takeSignal: Is offered each signal first; returns whether it has dealt with it.
///   - work: What the command does.
/// - Throws: `ExitCode`, after the message has been printed.
package func runCommand(
    failureCode: Int32 = 1,
    hears: [Int32] = [],
    mayDumpCore: Bool = false,
    takeSignal: @escaping @Sendable (Int32) -> Bool = { _ in false },
    work: @escaping @Sendable () async throws -> Void
) async throws {
    if !mayDumpCore { CoreDumps.forbid() }
    let interrupts = Interrupts(hears)
    let task = Task { try await work() }
    let received = ReceivedSignal()
    interrupts.hear { number in
        if takeSignal(number) || hears.contains(number) { return }
        guard received.isFirst(number) else { _exit(128 + number) }
        task.cancel()
    }
    defer { interrupts.stop() }
    do {
        try await task.value
    } catch let code as ExitCode {
        throw code
    } catch is CancellationError {
        throw ExitCode(128 + (received.number ?? SIGINT))
    } catch let error as DatabaseError {
        Failure.print(error)
        guard failureCode == 1 else { throw ExitCode(failureCode) }
        throw ExitCode(error.code == .hostExhausted ? HostLimits.tryAgainLater : error.isLockWait ? 3 : 1)
    } catch {
        Console.error("headroom: \(error)")
        throw ExitCode(failureCode)
    }
}

/// Errors as people read them.
package enum Failure {
    /// Prints what happened and why, and what to do next.
    package static func print(_ error: DatabaseError) {
        Console.error("headroom: \(error.message)")
        if !error.advice.isEmpty { Console.error("  next: \(error.advice)") }
    }
}

/// Remembers the first signal.
private final class ReceivedSignal: Sendable {
    private let first = Mutex<Int32?>(nil)

    var number: Int32? { first.withLock(\.self) }

    func isFirst(_ number: Int32) -> Bool {
        first.withLock { first in
            guard first == nil else { return false }
            first = number
            return true
        }
    }
}
