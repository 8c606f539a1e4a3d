import Glibc
import Headroom

/// The thread that the process began with.
package enum MainThread {
    /// Runs the program, and ends the process with it; this thread waits for all of its tasks, and runs those of a program that
    /// needs no other.
    ///
    /// An `async` main would have it end by pthread_exit(3), which loads a library to unwind its stack with and reads half a
    /// megabyte of tables for that: a twentieth of the time of a command that asks one question.
    ///
    /// - Parameters:
    ///   - need: What it was said to need, with how it ends when the host gives no thread.
    ///   - program: The program; the process exits with 0 when it returns.
    package static func wait(_ need: HostLimits.Need, whileRunning program: @escaping @Sendable () async -> Void)
        -> Never
    {
        // Another program that became this one may have blocked them, as Dispatch's threads do.
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in Interrupts.signals { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
        do throws(DatabaseError) {
            guard let pipe = SignalPipe.open() else { throw .hostExhausted("descriptor", error: errno) }
            let isAlone = need.threads == 0
            if isAlone { SignalPipe.endAtSecond() }
            try ProgramEventLoop.run(signals: pipe, heard: Interrupts.handOn, isAlone: isAlone) {
                await program()
                exit(0)
            }
        } catch {
            Failure.print(error)
            exit(need.failureCode ?? HostLimits.tryAgainLater)
        }
    }
}
