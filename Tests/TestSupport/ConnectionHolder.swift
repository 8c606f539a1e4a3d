import Glibc
public import HeadroomSandbox
import Testing

/// Another program that holds connections to a sandbox, until it is let go of.
public final class ConnectionHolder: Sendable {
    /// The process's id.
    public let id: Int32

    private let input: Int32
    private let folder = TemporaryFolder()

    /// Starts the program and waits until its connections are open.
    ///
    /// - Parameters:
    ///   - sandbox: The server; it must listen on TCP.
    ///   - account: The account.
    ///   - unix: How many connections over the socket.
    ///   - tcp: How many over TCP.
    ///   - working: Which of them, the socket's first, is at work in a transaction; it needs the table `app.held`.
    ///   - user: The user that the program is started as.
    ///   - laterUser: The user to become before it connects, without starting another program.
    /// - Throws: When it cannot be started or gets no connections.
    public init(
        _ sandbox: Sandbox,
        account: String,
        unix: Int,
        tcp: Int,
        working: Int? = nil,
        user: Int? = nil,
        laterUser: Int? = nil
    ) async throws {
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        // Neither end is for the programs that other tests start.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        input = ends[1]
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        let path = HeadroomProgram.beside("connection-holder")
        let words =
            (user.map { HeadroomProgram.asUser($0) } ?? []) + [
                path, sandbox.socket, "\(sandbox.port ?? 0)", account, "sandbox", "\(unix)", "\(tcp)",
                "\(working ?? -1)",
                "\(laterUser ?? -1)", "\(folder.path)/status",
            ]
        chmod(folder.path, 0o777)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in arguments { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, words[0], &actions, nil, &arguments, environ)
        close(ends[0])
        id = process
        try #require(result == 0, "\(path)")
        let isThere = try await eventually { !status.isEmpty }
        try #require(isThere && status == "ready\n", "\(status)")
    }

    deinit {
        // Its input ends, and so does it.
        close(input)
        var status: Int32 = 0
        waitpid(id, &status, 0)
    }

    /// Whether its transaction has been ended by somebody else.
    public var hasLostTransaction: Bool { status.contains("lost") }

    /// Whether it still runs.
    public var isRunning: Bool {
        var status: Int32 = 0
        return waitpid(id, &status, WNOHANG) == 0
    }

    private var status: String {
        guard let file = fopen("\(folder.path)/status", "re") else { return "" }
        defer { fclose(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        return String(decoding: bytes[..<fread(&bytes, 1, bytes.count, file)], as: UTF8.self)
    }
}
