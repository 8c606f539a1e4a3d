import Glibc

/// The built program as a process that goes on beside the test, and may be killed.
public final class HeadroomProcess: Sendable {
    /// The process's id.
    public let id: Int32

    /// Starts the program; what it prints is dropped.
    ///
    /// - Parameters:
    ///   - arguments: The arguments.
    ///   - environment: The whole environment.
    /// - Throws: When it cannot be started.
    public init(_ arguments: [String], environment: [String: String]) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor in [STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO] {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        let path = HeadroomProgram.path
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
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
