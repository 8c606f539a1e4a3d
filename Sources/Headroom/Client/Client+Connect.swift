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
    ///   - abandoned: Is given the client of an attempt that was given up in the middle, perhaps later: its session may count.
    /// - Returns: The open client, or what is known of its end.
    static func connect(
        _ settings: DatabaseSettings,
        limits: Limits,
        isPlain: Bool,
        abandoned: @escaping @Sendable (Client) -> Void
    ) async -> Opening {
        // Resolving a name and shaking hands for TLS block whatever the interface: such a connect has a thread of its own.
        let asksForTLS = settings.tls.mode != .disabled && !isPlain
        let client: Client
        if asksForTLS || settings.endpoint.needsResolving {
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
                // The server may just have let us in: it is told at once that nobody is there, and seen to leave.
                let moment = Duration.milliseconds(100)
                return await client.leave(after: error.duringConnect(settings), within: moment, abandoned)
            }
        }
        switch client.verdict {
        case .proceed, .withdraw:
            break
        case .refuse:
            let error = ConnectFailure.error(2026, "the server does not offer encryption", settings: settings)
            return await client.leave(after: error, within: settings.closeTimeout, abandoned)
        case .startOver:
            let timedOut = ConnectFailure.timedOut(settings)
            switch await client.leave(after: timedOut, within: settings.closeTimeout, abandoned) {
            case .failed: return await connect(settings, limits: limits, isPlain: false, abandoned: abandoned)
            case let left: return left
            }
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
        return .open(client)
    }

    /// Leaves a session that is not wanted, or that was given up while it began, and waits a moment until its end is proven.
    func leave(after error: any Error, within time: Duration, _ abandoned: (Client) -> Void) async -> Opening {
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

    private func connectInline(_ settings: DatabaseSettings, limits: Limits) async throws(Interruption) {
        let arguments = ConnectArguments(settings)
        defer { withExtendedLifetime(arguments) {} }
        _ = try await drive(nil as UnsafeMutablePointer<MYSQL>?, limits: limits) { result in
            let status = arguments.start(handle, result)
            duplicateSocket(settings)
            return status
        } resume: { result, events in
            let status = mysql_real_connect_cont(result, handle, events)
            if socket == nil { duplicateSocket(settings) }
            heedGreeting()
            return status != 0 && verdict.endsConnect ? unwindConnect(result) : status
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
        abandoned: @escaping @Sendable (Client) -> Void
    ) async throws(Interruption) -> Client {
        let timeout = limits.deadline.map { ContinuousClock.now.duration(to: $0) } ?? settings.connectTimeout
        return try await onOwnThread(named: "headroom-open", limits: limits) {
            let client = make(settings, asksForTLS: asksForTLS, timeout: timeout)
            client.connectBlocking(settings, deadline: .now + timeout)
            return HandedOver(client: client)
        } discard: { unclaimed in
            // Nobody waits any more, but the session may exist and counts until the server has let it go.
            abandoned(unclaimed.client)
        }
        .client
    }

    /// Connects on a thread that may wait: step by step all the same, for the greeting to be heeded.
    private func connectBlocking(_ settings: DatabaseSettings, deadline: ContinuousClock.Instant) {
        let arguments = ConnectArguments(settings)
        defer { withExtendedLifetime(arguments) {} }
        var result: UnsafeMutablePointer<MYSQL>?
        var status = FirstWord.heed(for: self) { startingTLS { arguments.start(handle, &result) } }
        while status != 0 {
            let left = ContinuousClock.now.duration(to: deadline)
            let descriptor = mysql_get_socket(handle)
            limitHandshake(descriptor, to: left)
            guard left > .zero, poll(descriptor, status, within: left) else {
                _ = unwindConnect(&result)
                break
            }
            status = FirstWord.heed(for: self) { startingTLS { mysql_real_connect_cont(&result, handle, status & 3) } }
            // Not before the server has greeted: a name may have several addresses, each tried with a socket of its own.
            if isGreeted, socket == nil { duplicateSocket(settings) }
            if status != 0, verdict.endsConnect { status = unwindConnect(&result) }
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
        var limit = timeval(tv_sec: Int(seconds), tv_usec: suseconds_t(attoseconds / 1_000_000_000_000))
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    /// Whether the server has said what it can do; before that nobody logs in.
    var isGreeted: Bool { isFreed ? wasGreeted : handle.pointee.server_capabilities != 0 }

    /// Looks at what the server offers, and ends the connect or its encryption where the settings or the offer say so.
    func heedGreeting() {
        guard verdict == .proceed, isGreeted else { return }
        verdict = encryption.verdict(isOffered: handle.pointee.server_capabilities & UInt(CLIENT_SSL) != 0)
        switch verdict {
        case .proceed:
            break
        case .withdraw:
            var off: CChar = 0
            mysql_options(handle, MYSQL_OPT_SSL_ENFORCE, &off)
        case .refuse, .startOver:
            // The server's hanging up is to be seen.
            if socket == nil { socket = SessionSocket(duplicating: mysql_get_socket(handle), isUnix: false) }
            disconnect()
        }
    }

    /// Cuts a connect off from the server and lets it end; returns 0, as it waits for nothing any more.
    private func unwindConnect(_ result: UnsafeMutablePointer<UnsafeMutablePointer<MYSQL>?>) -> Int32 {
        disconnect()
        while mysql_real_connect_cont(result, handle, MYSQL_WAIT_READ) != 0 {}
        return 0
    }
}

extension Interruption {
    /// What a connect that was given up throws.
    fileprivate func duringConnect(_ settings: DatabaseSettings) -> any Error {
        switch self {
        case .cancelled: CancellationError()
        case .deadlinePassed: ConnectFailure.timedOut(settings)
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
