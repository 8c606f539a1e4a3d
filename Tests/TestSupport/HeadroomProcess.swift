import Glibc

/// The built program as a process that goes on beside the test, and may be killed.
public final class HeadroomProcess: Sendable {
    /// The process's id.
    public let id: Int32

    /// Starts the program.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - environment: The whole environment.
    ///   - output: The file for what it prints, also as errors; dropped by default.
    ///   - command: A command to put in front, that runs it in another way.
    /// - Throws: When it cannot be started.
    public init(
        _ arguments: [String],
        environment: [String: String],
        output: String = "/dev/null",
        through command: [String] = []
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDWR, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)
        let path = command.first ?? HeadroomProgram.path
        let line = command + [HeadroomProgram.path] + arguments
        var words: [UnsafeMutablePointer<CChar>?] = line.map { strdup($0) } + [nil]
        var variables: [UnsafeMutablePointer<CChar>?] = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, path, &actions, nil, &words, &variables)
        guard result == 0 else { throw NotStarted(reason: String(cString: strerror(result))) }
        id = process
    }

    private struct NotStarted: Error {
        var reason: String
    }

    /// Sends a signal.
    public func signal(_ number: Int32) {
        kill(id, number)
    }

    /// Waits until the process has ended, and returns how: the exit status, negative for a signal.
    ///
    /// - Returns: The status.
    public func ended() async throws -> Int32 {
        while true {
            var status: Int32 = 0
            if waitpid(id, &status, WNOHANG) == id {
                return status & 0x7F == 0 ? (status >> 8) & 0xFF : -(status & 0x7F)
            }
            try await Task.sleep(for: .milliseconds(2))
        }
    }
}
