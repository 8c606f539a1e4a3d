import CLibrary
import CMariaDB

extension Client {
    /// Opens a connection.
    ///
    /// - Parameters:
    ///   - settings: Where to, and who logs in.
    ///   - limits: When to give up.
    ///   - isPlain: Whether the server is known to offer no encryption, so that no handshake has to be waited for. When it
    ///     does offer some by now, the connect starts over with it.
    ///   - mayBlock: Whether the connect is to have a thread of its own in any case: it takes files to judge the server.
    ///   - abandoned: Is given the client of an attempt that was given up in the middle, perhaps later: its session may count.
    /// - Returns: The open client, or what is known of its end.
    static func connect(
        _ settings: DatabaseSettings,
        limits: Limits,
        isPlain: Bool,
        mayBlock: Bool = false,
        abandoned: @escaping @Sendable (Client) -> Void
    ) async -> ConnectOutcome {
        // Resolving a name and shaking hands for TLS block whatever the interface: such a connect has a thread of its own.
        let asksForTLS = settings.tls.mode != .disabled && !isPlain
        let client: Client
        if asksForTLS || mayBlock || settings.endpoint.needsResolving {
            do throws(Interruption) {
                client = try await connectOnThread(settings, asksForTLS, limits: limits, abandoned: abandoned)
            } catch {
                return .abandoned(error.duringConnect(settings))
            }
        } else {
            client = make(settings, asksForTLS: false, timeout: nil)
            do throws(Interruption) {
                try await client.connectInline(settings, limits: limits)
            } catch {
                // The server may just have let us in: it is told at once that the client has gone, and its hang-up is waited for.
                let moment = Duration.milliseconds(100)
                return await client.leave(after: error.duringConnect(settings), within: moment, abandoned)
            }
        }
        if client.verdict == .startOver {
            let timedOut = ConnectFailure.timedOut(settings)
            switch await client.leave(after: timedOut, within: settings.closeTimeout, abandoned) {
            case .failed:
                return await connect(settings, limits: limits, isPlain: false, mayBlock: true, abandoned: abandoned)
            case let left: return left
            }
        }
        if let failure = client.trustFailure(settings) {
            return await client.leave(after: failure, within: settings.closeTimeout, abandoned)
        }
        let (number, text) = client.lastError
        guard number == 0 else {
            // A handshake whose reads were bounded may end in this very moment, with a failure of TLS.
            let isLate = limits.deadline.map { $0 <= .now } ?? false
            let error =
                isLate && ConnectFailure.isOfTheLine(number)
                ? ConnectFailure.timedOut(settings) : ConnectFailure.error(number, text, settings: settings)
            if let end = SessionEnd(refusedWith: number) {
                client.free()
                return .failed(error, end)
            }
            return await client.leave(after: error, within: settings.closeTimeout, abandoned)
        }
        guard client.socket != nil else {
            let error = ConnectFailure.outOfDescriptors(settings)
            return await client.leave(after: error, within: settings.closeTimeout, abandoned)
        }
        client.isLoggingIn = false
        await client.trust.remember(
            client.shownKeys,
            isAskedForMore: client.isAskedForMore,
            isEncrypted: client.isEncrypted,
            limits: limits
        )
        return .connected(client)
    }

    /// Leaves a session that is not wanted, or that was given up while it began, and waits a moment until its end is proven.
    func leave(after error: any Error, within time: Duration, _ abandoned: (Client) -> Void) async -> ConnectOutcome {
        // Without a second descriptor the library's own is watched, and closed only then.
        let own = socket == nil && isGreeted ? SessionSocket(borrowing: mysql_get_socket(handle)) : nil
        if own == nil { free() }
        if let end = SessionEnd(neverLoggedIn: self) { return .failed(error, end) }
        let socket = socket ?? own
        socket?.halfClose()
        let end = await socket?.end(by: .now + time) ?? nil
        free()
        if let end { return .failed(error, end) }
        abandoned(self)
        return .abandoned(error)
    }

    /// Looks at what keys a server shows, and sends it nothing that is worth having: a made-up password takes the real one's
    /// place.
    ///
    /// - Parameters:
    ///   - settings: Where to, and as whom.
    ///   - limits: When to give up.
    /// - Returns: The keys; none when the server lets clients in by other means.
    /// - Throws: ``DatabaseError`` when there is no server to look at, or `CancellationError`.
    static func lookAtKeys(_ settings: DatabaseSettings, limits: Limits) async throws -> [ServerKey] {
        var settings = settings
        settings.password = String(UInt64.random(in: 0...(.max)), radix: 36)
        settings.tls.pins = []
        if settings.tls.mode != .disabled, settings.tls.mode != .preferred { settings.tls.mode = .required }
        let client: Client
        do throws(Interruption) {
            client = try await connectOnThread(
                settings,
                settings.tls.mode != .disabled,
                limits: limits,
                onlyLooks: true
            ) { _ in }
        } catch .cancelled {
            throw CancellationError()
        } catch {
            throw ConnectFailure.timedOut(settings)
        }
        let (number, text) = client.lastError
        let failure = client.verdict == .proceed ? nil : client.trustFailure(settings)
        _ = await client.leave(after: CancellationError(), within: settings.closeTimeout) { _ in }
        if let failure { throw failure }
        // An error of the server's own, such as that it knows no such password, comes after what is looked for.
        guard client.shownKeys.isEmpty, ConnectFailure.isOfTheLine(number) else { return client.shownKeys }
        throw ConnectFailure.error(number, text, settings: settings)
    }

    /// Why the connect ended for what the server is, and not for what it said.
    private func trustFailure(_ settings: DatabaseSettings) -> DatabaseError? {
        switch verdict {
        case .refuse: return ConnectFailure.error(2026, "the server does not offer encryption", settings: settings)
        case .refuseGreeting: return ConnectFailure.noGreeting(settings)
        case .proceed, .startOver: break
        }
        if isOverBound { return ConnectFailure.noGreeting(settings) }
        return refusal.map { ConnectFailure.notTrusted($0, settings) }
    }

    private func connectInline(_ settings: DatabaseSettings, limits: Limits) async throws(Interruption) {
        let arguments = ConnectArguments(settings)
        defer { withExtendedLifetime(arguments) {} }
        _ = try await drive(nil as UnsafeMutablePointer<MYSQL>?, limits: limits) { result in
            let status = arguments.start(handle, result)
            if socket == nil { duplicateSocket(settings) }
            return status
        } resume: { result, events in
            let status = mysql_real_connect_cont(result, handle, events)
            if socket == nil { duplicateSocket(settings) }
            return status
        }
    }

    private func duplicateSocket(_ settings: DatabaseSettings) {
        let descriptor = mysql_get_socket(handle)
        guard descriptor >= 0 else { return }
        socket = SessionSocket(duplicating: descriptor, isUnix: settings.endpoint.isSocket)
    }

    private static func connectOnThread(
        _ settings: DatabaseSettings,
        _ asksForTLS: Bool,
        limits: Limits,
        onlyLooks: Bool = false,
        abandoned: @escaping @Sendable (Client) -> Void
    ) async throws(Interruption) -> Client {
        let timeout = limits.deadline.map { ContinuousClock.now.duration(to: $0) } ?? settings.connectTimeout
        return try await onOwnThread(named: "headroom-open", limits: limits) {
            let client = make(settings, asksForTLS: asksForTLS, timeout: timeout, onlyLooks: onlyLooks)
            client.connectBlocking(settings, deadline: .now + timeout)
            return HandedOver(client: client)
        } discard: { unclaimed in
            // The caller has given up, but the session may exist and counts until the server has let it go.
            abandoned(unclaimed.client)
        }
        .client
    }

    /// Connects on a thread that may wait: step by step all the same, so that each wait has its end.
    private func connectBlocking(_ settings: DatabaseSettings, deadline: ContinuousClock.Instant) {
        let arguments = ConnectArguments(settings)
        defer { withExtendedLifetime(arguments) {} }
        var result: UnsafeMutablePointer<MYSQL>?
        var status = startingTLS { arguments.start(handle, &result) }
        while status != 0 {
            let left = ContinuousClock.now.duration(to: deadline)
            let descriptor = mysql_get_socket(handle)
            limitHandshake(descriptor, to: left)
            guard left > .zero, poll(descriptor, status, within: left) else {
                _ = unwindConnect(&result)
                break
            }
            status = startingTLS { mysql_real_connect_cont(&result, handle, status & 3) }
        }
        // A handshake leaves the socket blocking, and the library's TLS would then block every later call.
        socket?.stopBlocking()
    }

    /// Waits for what the library waits for.
    private func poll(_ descriptor: Int32, _ status: Int32, within time: Duration) -> Bool {
        var entry = pollfd(
            fd: descriptor,
            events: Int16((status & 1 != 0 ? POLLIN : 0) | (status & 2 != 0 ? POLLOUT : 0)),
            revents: 0
        )
        let end = ContinuousClock.now + min(time, .seconds(1_000_000))
        while true {
            let left = max(.zero, ContinuousClock.now.duration(to: end))
            let found = CLibrary.poll(
                &entry,
                1,
                Int32(left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000) + 1
            )
            if found > 0 { return true }
            guard found < 0, errno == EINTR else { return false }
        }
    }

    /// Bounds the reads of the TLS handshake, which block even in a non-blocking connect (libmariadb 3.3).
    private func limitHandshake(_ descriptor: Int32, to time: Duration) {
        let (seconds, attoseconds) = max(time, .milliseconds(1)).components
        _ = kernel_limit_wait(descriptor, SO_RCVTIMEO, Int(seconds), Int(attoseconds / 1_000_000_000_000))
    }

    /// Whether the server has said what it can do.
    var isGreeted: Bool { isFreed ? wasGreeted : handle.pointee.server_capabilities != 0 }

    /// Cuts a connect off from the server and lets it end; returns 0, as it waits for nothing any more.
    private func unwindConnect(_ result: UnsafeMutablePointer<UnsafeMutablePointer<MYSQL>?>) -> Int32 {
        disconnect()
        while mysql_real_connect_cont(result, handle, MYSQL_WAIT_READ) != 0 {}
        return 0
    }
}

extension Interruption {
    /// What a connect that was given up throws.
    func duringConnect(_ settings: DatabaseSettings) -> any Error {
        switch self {
        case .cancelled: CancellationError()
        case .deadlinePassed: ConnectFailure.timedOut(settings)
        case .exhausted(let error): error
        }
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
}

extension Task where Success == Never, Failure == Never {
    /// Throws when the task is cancelled and the limits say that this ends the call.
    static func checkCancellation(in limits: Limits) throws {
        if limits.isCancellable { try checkCancellation() }
    }
}
