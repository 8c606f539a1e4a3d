import Glibc

/// A private MariaDB or MySQL server in a folder of its own, with an account of any limit.
///
/// It never touches the system's server, its settings or its data. For example:
///
/// ```swift
/// try await Sandbox.with(SandboxOptions(limit: 5)) { sandbox in
///     print(sandbox.environment["DB_SOCKET"])
/// }
/// ```
public final class Sandbox: Sendable {
    /// What the server and its account are like.
    public let options: SandboxOptions

    /// The TCP port on 127.0.0.1; `nil` when the server has only its socket.
    public let port: Int?

    let folder: SandboxFolder
    private let keeper: Keeper?

    private init(options: SandboxOptions, port: Int?, folder: SandboxFolder, keeper: Keeper?) {
        self.options = options
        self.port = port
        self.folder = folder
        self.keeper = keeper
    }

    /// The server's folder.
    public var directory: String { folder.path }

    /// The path of the server's socket; its administrator `root`, with no password, comes in through it as well.
    public var socket: String { folder.socket }

    /// The certificate authority that has signed the server's certificate; `nil` without TLS.
    public var certificateAuthority: String? { options.tls ? folder.certificate : nil }

    /// The server's process id; `nil` when it is not running.
    public var processID: Int32? { folder.runningServer }

    /// The settings that lead to the account, by the names that Headroom and the host application read.
    public var environment: [String: String] {
        var environment = [
            "DB_SOCKET": socket,
            "DB_DATABASE": options.database,
            "DB_USERNAME": options.username,
            "DB_PASSWORD": options.password,
            "HEADROOM_SANDBOX_ADMIN_SOCKET": socket,
            // What programs remember of this server goes with it.
            "HEADROOM_STATE_DIR": folder.state,
        ]
        if let port {
            environment["DB_HOST"] = "127.0.0.1"
            environment["DB_PORT"] = "\(port)"
        }
        if let certificateAuthority { environment["HEADROOM_TLS_CA"] = certificateAuthority }
        return environment
    }

    /// Runs the body with a private server, which is stopped, and removed unless its folder was given, before it returns.
    ///
    /// Should this process end in any other way, also by kill -9, the server is stopped and removed as well.
    ///
    /// - Parameters:
    ///   - options: What the server and its account are like.
    ///   - body: What to do with it.
    /// - Returns: What the body returns.
    /// - Throws: ``SandboxError``, or what the body throws.
    public static func with<Result>(
        _ options: SandboxOptions = SandboxOptions(),
        _ body: (Sandbox) async throws -> Result
    ) async throws -> Result {
        let sandbox = try await start(options)
        do {
            let result = try await body(sandbox)
            await sandbox.stop()
            return result
        } catch {
            await sandbox.stop()
            throw error
        }
    }

    /// Starts a private server; ``stop()`` must follow.
    ///
    /// - Parameter options: What the server and its account are like.
    /// - Returns: The server, ready for clients.
    /// - Throws: ``SandboxError``, or `CancellationError` when cancelled.
    public static func start(_ options: SandboxOptions) async throws -> Sandbox {
        try await start(options, in: options.directory.map(SandboxFolder.at) ?? .temporary(), detached: false)
    }

    /// Starts a server that outlives this process, in a folder that is kept; ``stopDetached(directory:)`` stops it.
    ///
    /// - Parameter options: What the server and its account are like; its folder must be given.
    /// - Returns: The server, ready for clients.
    /// - Throws: ``SandboxError``, or `CancellationError` when cancelled.
    public static func startDetached(_ options: SandboxOptions) async throws -> Sandbox {
        guard let directory = options.directory else {
            throw SandboxError(.badDirectory, "A server that outlives its program needs a folder: name one.")
        }
        return try await start(options, in: .at(directory), detached: true)
    }

    /// Stops the server that runs on a folder's data, and leaves the data.
    ///
    /// - Parameter directory: The sandbox's folder.
    /// - Throws: ``SandboxError`` when the folder is not a sandbox's, or no server runs on it.
    public static func stopDetached(directory: String) async throws {
        let folder = SandboxFolder(path: Files.absolute(directory))
        guard Files.exists(folder.marker) else {
            throw SandboxError(
                .badDirectory,
                "\(folder.path) was not made by 'headroom sandbox': nothing in it is stopped."
            )
        }
        guard let server = folder.runningServer else {
            throw SandboxError(.wrongState, "No server runs on \(folder.path): there is nothing to stop.")
        }
        kill(server, SIGTERM)
        for _ in 0..<1_500 where folder.runningServer != nil { try await Task.sleep(for: .milliseconds(20)) }
        if folder.runningServer != nil {
            throw SandboxError(.wrongState, "The server (process \(server)) does not end within 30 s.")
        }
    }

    /// Stops the server and waits until it is gone, and its folder as well, unless that was given.
    public func stop() async {
        keeper?.letGo()
        await keeper?.ended()
    }

    /// Stops the server and starts it again on the same data, as after a restart of the machine.
    ///
    /// - Returns: The new server; this one is of no more use.
    /// - Throws: ``SandboxError``, or `CancellationError` when cancelled.
    public func restart() async throws -> Sandbox {
        try Files.write("", to: folder.keepMark)
        await stop()
        return try await Self.start(options, in: folder, detached: false)
    }

    private static func start(
        _ options: SandboxOptions,
        in folder: SandboxFolder,
        detached: Bool
    ) async throws -> Sandbox {
        if let running = folder.runningServer {
            throw SandboxError(
                .wrongState,
                "A server (process \(running)) runs on \(folder.path) already. Stop it first."
            )
        }
        let programs = try options.server.programs()
        let template = try await Template(programs).made()
        let port = options.tcp ? try Readiness.freePort() : nil
        let command =
            programs.server + [
                "--datadir=\(folder.data)", "--socket=\(folder.socket)",
                "--pid-file=\(folder.processFile)", "--log-error=\(folder.errorLog)", "--tmpdir=\(folder.temporary)",
                "--init-file=\(folder.initialisation)",
            ] + programs.arguments + options.arguments(port: port)
            + (options.tls
                ? [
                    "--ssl-cert=\(folder.certificate)", "--ssl-key=\(folder.privateKey)",
                    // It is its own authority: a server that shows it is the right one.
                    "--ssl-ca=\(folder.certificate)",
                ] : programs.withoutTLS)

        for path in [folder.socket, folder.processFile, folder.keepMark, folder.endedMark] { unlink(path) }
        if options.directory != nil { try Files.write("", to: folder.keepMark) }
        let keeper = detached ? nil : try await Keeper(folder: folder, template: template, command: command)
        let sandbox = Sandbox(options: options, port: port, folder: folder, keeper: keeper)
        do {
            try await prepare(folder, options, programs)
            if let keeper {
                keeper.startServer()
            } else {
                try await Keeper.startDetached(folder: folder, template: template, command: command)
            }
            try await sandbox.waitUntilReady()
            try Files.write(sandbox.environmentFile, to: folder.environment)
            return sandbox
        } catch {
            await sandbox.stop()
            throw error
        }
    }

    /// Puts into the folder what the server needs to start.
    private static func prepare(
        _ folder: SandboxFolder,
        _ options: SandboxOptions,
        _ programs: ServerPrograms
    ) async throws {
        try Files.makeFolders(folder.temporary)
        try Files.write(options.initialisation(programs), to: folder.initialisation)
        if options.tls { try await makeCertificate(folder) }
    }

    private func waitUntilReady() async throws {
        guard try await Readiness.wait(for: socket, unless: { Files.exists(folder.endedMark) }) else {
            let reason = Files.exists(folder.endedMark) ? "ended while it started" : "does not answer after 30 s"
            throw SandboxError(.startFailed, "The server \(reason). \(folder.logTail)")
        }
    }

    /// The settings as a shell reads them.
    private var environmentFile: String {
        environment.sorted { $0.key < $1.key }.map { "\($0.key)='\($0.value)'\n" }.joined()
    }

    private static func makeCertificate(_ folder: SandboxFolder) async throws {
        guard let openssl = Files.program("openssl") else {
            throw SandboxError(
                .setupFailed,
                "TLS needs a certificate, and the program to make one is not installed. "
                    + "Install it with: apt-get install openssl"
            )
        }
        try await Program.run(
            openssl,
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=localhost",
                "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder.privateKey,
                "-out", folder.certificate,
            ],
            doing: "making a certificate"
        )
    }
}
