import CMariaDB

extension Client {
    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - settings: Where to, and who logs in.
    ///   - limits: When to give up.
    ///   - mayBlock: Whether connecting has to resolve a name or shake hands for TLS. Both block whatever the interface, so
    ///     such a connect runs on a thread of its own.
    ///   - abandoned: Is given the socket of a session that was given up while it began and is not gone yet.
    /// - Returns: The open connection.
    /// - Throws: ``DatabaseError``, or `CancellationError` at once when the task is cancelled.
    static func connect(
        _ settings: DatabaseSettings,
        limits: Limits,
        mayBlock: Bool,
        abandoned: @escaping @Sendable (SessionSocket) -> Void
    ) async throws -> Client {
        try Task.checkCancellation(in: limits)
        let client: Client
        do throws(Interruption) {
            if mayBlock {
                client = try await connectOnThread(settings, limits: limits, abandoned: abandoned)
            } else {
                client = make(settings, timeout: nil)
                try await client.connectInline(settings, limits: limits, abandoned: abandoned)
            }
        } catch .cancelled {
            throw CancellationError()
        } catch {
            throw ConnectFailure.timedOut(settings)
        }
        let (number, text) = client.lastError
        guard number == 0 else {
            // A refusal for the database's sake comes after the account was counted, so the server's hanging up is awaited.
            // It is no proof here: MariaDB 10.11 takes such a session off the count a moment after (seen 1 time in 1,000).
            await client.leave(within: settings.closeTimeout)
            throw ConnectFailure.error(number, text, settings: settings)
        }
        guard client.socket != nil else { throw ConnectFailure.outOfDescriptors(settings) }
        if settings.tls.mode != .disabled, settings.tls.mode != .preferred, !client.isEncrypted {
            await client.leave(within: settings.closeTimeout)
            throw ConnectFailure.error(2026, "the server does not offer encryption", settings: settings)
        }
        return client
    }

    /// Leaves a session that has nothing under way, and waits a moment until the server has let it go.
    private func leave(within timeout: Duration) async {
        free()
        _ = await socket?.serverHungUp(until: .now + timeout)
    }

    private func connectInline(
        _ settings: DatabaseSettings,
        limits: Limits,
        abandoned: (SessionSocket) -> Void
    ) async throws(Interruption) {
        let arguments = ConnectArguments(settings)
        defer { withExtendedLifetime(arguments) {} }
        do throws(Interruption) {
            _ = try await drive(nil as UnsafeMutablePointer<MYSQL>?, limits: limits) { result in
                let status = startingTLS { arguments.start(handle, result) }
                duplicateSocket(settings)
                return status
            } resume: { result, events in
                let status = startingTLS { mysql_real_connect_cont(result, handle, events) }
                if socket == nil { duplicateSocket(settings) }
                return status
            }
        } catch {
            // The server may just have let us in: it is told at once that nobody is there, and seen to leave.
            free()
            if let socket {
                socket.halfClose()
                if await !socket.serverHungUp(until: .now + .milliseconds(100)) { abandoned(socket) }
            }
            throw error
        }
    }

    private func duplicateSocket(_ settings: DatabaseSettings) {
        let descriptor = mysql_get_socket(handle)
        guard descriptor >= 0 else { return }
        socket = SessionSocket(duplicating: descriptor, isUnix: settings.endpoint.isSocket)
    }

    private static func connectOnThread(
        _ settings: DatabaseSettings,
        limits: Limits,
        abandoned: @escaping @Sendable (SessionSocket) -> Void
    ) async throws(Interruption) -> Client {
        let timeout = limits.deadline.map { ContinuousClock.now.duration(to: $0) } ?? settings.connectTimeout
        return try await onOwnThread(named: "headroom-open", limits: limits) {
            let client = make(settings, timeout: timeout)
            let arguments = ConnectArguments(settings)
            defer { withExtendedLifetime(arguments) {} }
            if client.startingTLS({ arguments.connect(client.handle) }) {
                client.duplicateSocket(settings)
                // A blocking connect leaves the socket blocking, and the library's TLS would then block every later call.
                client.socket?.stopBlocking()
            }
            return HandedOver(client: client)
        } discard: { unclaimed in
            // Nobody waits any more, but the session exists and counts until the server has let it go.
            unclaimed.client.free()
            unclaimed.client.socket.map(abandoned)
        }
        .client
    }
}

/// A client on its way from the thread that opened it to the task that will use it.
///
/// `@unchecked Sendable`: the thread lets go of it when it hands it over, so that one side at a time has it.
private struct HandedOver: @unchecked Sendable {
    let client: Client
}

/// The arguments of a connect call in C's form, kept for as long as the call runs.
private struct ConnectArguments {
    private let host: CString?
    private let socket: CString?
    private let username: CString
    private let password: CString
    private let database: CString?
    private let port: UInt32

    init(_ settings: DatabaseSettings) {
        switch settings.endpoint {
        case .socket(let path):
            host = nil
            socket = CString(path)
            port = 0
        case .tcp(let name, let number):
            host = CString(name)
            socket = nil
            port = UInt32(clamping: number)
        }
        username = CString(settings.username)
        password = CString(settings.password)
        database = settings.database.map { CString($0) }
    }

    func start(
        _ handle: UnsafeMutablePointer<MYSQL>,
        _ result: UnsafeMutablePointer<UnsafeMutablePointer<MYSQL>?>
    ) -> Int32 {
        mysql_real_connect_start(
            result,
            handle,
            host?.pointer,
            username.pointer,
            password.pointer,
            database?.pointer,
            port,
            socket?.pointer,
            0
        )
    }

    func connect(_ handle: UnsafeMutablePointer<MYSQL>) -> Bool {
        mysql_real_connect(
            handle,
            host?.pointer,
            username.pointer,
            password.pointer,
            database?.pointer,
            port,
            socket?.pointer,
            0
        ) != nil
    }
}

extension Task where Success == Never, Failure == Never {
    /// Throws when the task is cancelled and the limits say that this ends the call.
    static func checkCancellation(in limits: Limits) throws {
        if limits.isCancellable { try checkCancellation() }
    }
}
