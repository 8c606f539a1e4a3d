import CommandSupport
import Glibc
import Headroom
import Subprocess
import Synchronization
import SystemPackage

/// A program that runs in place of this one: with its terminal, its signals and its exit status.
final class Child: Sendable {
    private let process = Mutex<pid_t?>(nil)

    /// Runs the command to its end, and returns its exit status as a shell would have it.
    ///
    /// - Parameters:
    ///   - command: The program, looked up in the PATH unless it has a slash, and its arguments.
    ///   - environment: What to add to this program's environment.
    /// - Returns: The exit status: 128 and the signal's number after a signal, 127 when there is no such program.
    /// - Throws: `CancellationError` when cancelled, ``DatabaseError`` with `hostExhausted` when it could not be started now.
    func run(_ command: [String], environment: [String: String]) async throws -> Int32 {
        let overrides = environment.map { (Environment.Key(stringLiteral: $0.key), Optional($0.value)) }
        let name = command[0]
        let bound = Task { try await endUnlessBegun(after: .seconds(30)) }
        defer { bound.cancel() }
        do {
            let result = try await Subprocess.run(
                name.holds("/") ? .path(FilePath(name)) : .name(name),
                arguments: Arguments(Array(command.dropFirst())),
                environment: .inherit.updating(Dictionary(uniqueKeysWithValues: overrides)),
                input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
                output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
                error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
            ) { execution in
                bound.cancel()
                process.withLock { $0 = execution.processIdentifier.value }
            }
            process.withLock { $0 = nil }
            // A signal that came before there was anything to hand it to has ended the program, by another one.
            try Task.checkCancellation()
            switch result.terminationStatus {
            case .exited(let code): return code
            case .signaled(let signal): return 128 + signal
            }
        } catch let error as SubprocessError {
            if let reason = error.underlyingError, Self.passing.contains(reason) {
                throw DatabaseError.hostExhausted("process", error: reason.rawValue)
            }
            Console.error("headroom: '\(name)' cannot be run: \(error)")
            Console.error("  next: check its name and its rights; without a slash it is looked up in PATH.")
            return 127
        }
    }

    /// Ends this program when there is no command yet: Subprocess waits without end for a thread that it could not start.
    private func endUnlessBegun(after time: Duration) async throws {
        try await Task.sleep(for: time)
        guard process.withLock({ $0 == nil }) else { return }
        Failure.print(.hostExhausted("thread", error: EAGAIN))
        _exit(75)
    }

    /// What the kernel says when there is no process, thread, descriptor or memory to be had.
    private static let passing: [Errno] = [
        .resourceTemporarilyUnavailable, .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory,
    ]

    /// Hands a signal on; returns whether there was a program to hand it to.
    func signal(_ number: Int32) -> Bool {
        process.withLock { process in
            guard let process else { return false }
            // Ctrl-C at the terminal has reached the program already, as it is in the same process group.
            if number != SIGINT || isatty(STDIN_FILENO) == 0 { kill(process, number) }
            return true
        }
    }
}
