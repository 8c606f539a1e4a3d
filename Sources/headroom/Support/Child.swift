import CKernel
import CommandSupport
import Glibc
import Headroom
import Synchronization

/// A program that runs in place of this one: with its terminal, its signals and its exit status.
final class Child: Sendable {
    private enum State {
        /// Transitions: to `ended` by a signal, to `running` when it is started.
        case missing
        /// Transitions: to `ended` when it has ended.
        case running(pid_t)
        case ended
    }

    private let state = Mutex(State.missing)

    /// Runs the command to its end, and returns its exit status as a shell would have it.
    ///
    /// - Parameters:
    ///   - command: The program, looked up in the PATH unless it has a slash, and its arguments.
    ///   - environment: What to add to this program's environment.
    ///   - kept: Descriptors that it inherits, with the locks that they hold.
    ///   - started: Is told its process.
    /// - Returns: The exit status: 128 and the signal's number after a signal, 127 when there is no such program, 126 when it cannot
    ///   be run.
    /// - Throws: `CancellationError` when a signal came first, ``DatabaseError`` with `hostExhausted` when it could not be started now.
    func run(
        _ command: [String],
        environment: [String: String],
        keeping kept: [Int32] = [],
        started: @escaping @Sendable (pid_t) -> Void = { _ in }
    ) async throws -> Int32 {
        // The environment of this process is the command's, and nothing else here is told by it.
        for (name, value) in environment { setenv(name, value, 1) }
        let result = await withCheckedContinuation { (done: CheckedContinuation<Result<Int32, any Error>, Never>) in
            do {
                // Waiting for a process blocks.
                try startDetachedThread(named: "headroom-run") { [self] in
                    do {
                        done.resume(returning: .success(try start(command, kept, started)))
                    } catch {
                        done.resume(returning: .failure(error))
                    }
                }
            } catch {
                done.resume(returning: .failure(error))
            }
        }
        return try result.get()
    }

    private func start(_ command: [String], _ kept: [Int32], _ started: (pid_t) -> Void) throws -> Int32 {
        var arguments = command.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        let (process, error) = try state.withLock { state in
            guard case .missing = state else { throw CancellationError() }
            var process: pid_t = 0
            let error = kernel_spawn(&process, &arguments, kept, Int32(kept.count), 0)
            if error == 0 { state = .running(process) }
            return (process, error)
        }
        guard error == 0 else { return try Self.notStarted(command[0], error) }
        started(process)
        let status = Self.status(of: process)
        state.withLock { $0 = .ended }
        return status
    }

    /// Waits for a process; the first of a container also for those that others have left behind.
    private static func status(of process: pid_t) -> Int32 {
        let isFirst = getpid() == 1
        while true {
            var status: Int32 = 0
            let ended = waitpid(isFirst ? -1 : process, &status, 0)
            guard ended == process else {
                if ended < 0, errno != EINTR { return 1 }
                continue
            }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : 128 + status & 0x7F
        }
    }

    private static func notStarted(_ name: String, _ error: Int32) throws -> Int32 {
        if [EAGAIN, EMFILE, ENFILE, ENOMEM].contains(error) {
            throw DatabaseError.hostExhausted("process", error: error)
        }
        Console.error("headroom: '\(name)' cannot be run: \(String(cString: strerror(error))) (error \(error))")
        Console.error("  next: check its name and its rights; without a slash it is looked up in PATH.")
        return error == ENOENT ? 127 : 126
    }

    /// Hands a signal on; returns whether there was a program to hand it to.
    func signal(_ number: Int32) -> Bool {
        let isRunning = state.withLock { state in
            switch state {
            case .missing:
                // It is not started any more, unless the signal is one that ends nothing.
                if !Interrupts.handedOn.contains(number) { state = .ended }
                return false
            case .running(let process):
                // What is typed at the terminal has reached the program already, as it is in the same process group.
                let isTyped = [SIGINT, SIGQUIT, SIGTSTP].contains(number) && isatty(STDIN_FILENO) == 1
                if !isTyped { kill(process, number) }
                return true
            case .ended:
                return false
            }
        }
        // Whoever stops it means both; the program goes on with SIGCONT, which is handed on too.
        if isRunning, number == SIGTSTP { kill(getpid(), SIGSTOP) }
        return isRunning
    }
}
