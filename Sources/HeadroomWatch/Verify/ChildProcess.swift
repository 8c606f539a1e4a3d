import Glibc
import Headroom

/// This program started once more, for a drill that needs a process to stop or to kill.
struct ChildProcess {
    let id: pid_t

    /// Starts it; it inherits the environment and the working folder, and what it prints is dropped.
    ///
    /// - Throws: ``DatabaseError`` when it cannot be started.
    init(_ arguments: [String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        var words: [UnsafeMutablePointer<CChar>?] = (["headroom"] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, "/proc/self/exe", &actions, nil, &words, environ)
        guard result == 0 else {
            throw DatabaseError(
                .statementFailed,
                message: "This program could not be started once more: \(String(cString: strerror(result)))."
            )
        }
        id = process
    }

    /// Runs the body beside it; it is killed and gone when this returns, on every path.
    static func with<Result>(
        _ arguments: [String],
        _ body: (ChildProcess) async throws -> Result
    ) async throws -> Result {
        let child = try ChildProcess(arguments)
        // A killed process is gone in microseconds, so that waiting for it holds nobody up.
        defer { child.end() }
        return try await body(child)
    }

    /// Waits for its end: its exit status, negative for a signal; `nil` when it has not ended in time.
    ///
    /// It is left as a dead process until ``end()``, so that nobody else can have its id.
    func status(within patience: Duration) async throws -> Int32? {
        let deadline = ContinuousClock.now + patience
        while true {
            var information = siginfo_t()
            if waitid(P_PID, id_t(id), &information, WEXITED | WNOHANG | WNOWAIT) == 0, information.si_signo == SIGCHLD
            {
                let status = information._sifields._sigchld.si_status
                return information.si_code == Int32(CLD_EXITED) ? status : -status
            }
            if deadline < .now { return nil }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until something holds of it; gives up when it has ended, or in the end.
    func wait(within patience: Duration, until isSo: () throws -> Bool) async throws -> Bool {
        let deadline = ContinuousClock.now + patience
        while true {
            if try isSo() { return true }
            if deadline < .now { return false }
            if try await status(within: .zero) != nil { return try isSo() }
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    func signal(_ number: Int32) {
        kill(id, number)
    }

    private func end() {
        kill(id, SIGKILL)
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0, errno == EINTR {}
    }
}
