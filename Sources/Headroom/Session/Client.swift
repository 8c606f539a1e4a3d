import CLibrary
import CMariaDB
import COpenSSL

/// One session's handle in the C client; with its extensions the only code that touches a `MYSQL *`.
///
/// It drives libmariadb's non-blocking interface: a call starts, says what it waits for, and goes on when that has come.
/// The other way, a blocking call on a thread per connection, was measured here at 1.3 to 1.5 times the C loop's cycle, as
/// each call then costs two thread wake-ups; this one stays within 1.1 (`scripts/bench cycle`), needs no thread per
/// connection, and a caller can give up at any wait. What blocks whatever the interface (name resolution, the handshake
/// of TLS, for which libmariadb 3.3 leaves the socket blocking) runs on a thread of its own: see `Client+Connect.swift`.
///
/// Not Sendable: one task at a time uses a handle, which the compiler sees to.
final class Client {
    let handle: UnsafeMutablePointer<MYSQL>

    /// The duplicate descriptor that tells when the server has hung up; made as soon as there is a socket.
    var socket: SessionSocket?

    /// The session's id on the server.
    var sessionID: UInt64 { UInt64(mysql_thread_id(handle)) }

    /// The server's version as it names itself, such as `10.11.19-MariaDB`.
    var serverVersion: String { String(cString: mysql_get_server_info(handle)) }

    /// Whether the server is a MariaDB.
    var isMariaDB: Bool { mariadb_connection(handle) != 0 }

    /// Whether the connection is encrypted.
    var isEncrypted: Bool { mysql_get_ssl_cipher(handle) != nil }

    /// What the server has said of itself.
    private(set) lazy var facts = ServerFacts(
        sessionID: sessionID,
        version: serverVersion,
        isMariaDB: isMariaDB,
        isEncrypted: isEncrypted,
        node: node
    )

    /// Whether a statement outside of a transaction commits by itself, as the server's last reply without an error has said.
    var isAutocommitting: Bool { handle.pointee.server_status & UInt32(SERVER_STATUS_AUTOCOMMIT) != 0 }

    /// Whether a transaction is open, as the server's last reply without an error has said.
    var isInTransaction: Bool { handle.pointee.server_status & UInt32(SERVER_STATUS_IN_TRANS) != 0 }

    /// How much encryption the settings ask for, and whether this handle does.
    let encryption: EncryptionRule

    /// Whether the server may have the password itself.
    let trust: ServerTrust

    /// The server's first packet, until it is judged; `nil` on a unix socket, where nothing is in between.
    var greeting: Greeting?

    /// Whether it was looked at who listens at a unix socket.
    private var isListenerSeen = false

    /// What the server's greeting has led to.
    var verdict = EncryptionRule.Verdict.proceed

    /// How much the server may still send.
    var replyBound = ReplyBound(ReplyBound.login)

    /// Whether it has sent more, and was cut off.
    var isOverBound = false

    /// Whether the login is under way, in which a server has little to send.
    var isLoggingIn = true

    /// The keys that the server has shown.
    private(set) var shownKeys: [ServerKey] = []

    /// Why the server did not get the password that it asked for.
    private(set) var refusal: ServerTrust.Refusal?

    /// Whether the login is by a method that may ask for the password itself.
    var isAskedForMore = false

    /// The number of replies that the server owes to statements sent ahead.
    var repliesOwed = 0

    /// The bytes of the statement that was sent last, with its values.
    var bytesSent = 0

    /// Which of several nodes it leads to; `nil` where the settings name one.
    var node: Endpoint?

    /// What the server said when it ended the session, in a reply that nobody waited for; `nil` when it has not.
    var farewell: (number: Int, text: String)?

    /// Whether a call or a reply was given up in the middle: nothing that the library says reaches the server any more.
    private(set) var isCutOff = false

    /// Whether the server had greeted when the handle was freed.
    private(set) var wasGreeted = false

    /// The statements that stay prepared until the scope ends.
    var statements = StatementCache<UnsafeMutablePointer<MYSQL_STMT>>()

    /// The waits for the server, which the end of a scope stops.
    let waits = StoppableWait()

    private var inline = AdaptivePoll()
    private(set) var isFreed = false

    /// Takes over a handle.
    init(_ handle: UnsafeMutablePointer<MYSQL>, _ encryption: EncryptionRule, _ trust: ServerTrust) {
        self.handle = handle
        self.encryption = encryption
        self.trust = trust
        greeting = trust.isLocal ? nil : Greeting()
        leaveWithHandle()
    }

    deinit {
        free()
    }

    /// Says goodbye to the server, as far as the connection is still open, and frees the handle.
    ///
    /// The server counts the session until it has hung up: wait for that on ``socket``.
    func free() {
        guard !isFreed else { return }
        wasGreeted = isGreeted
        isFreed = true
        mysql_close(handle)
        freeStatements()
    }

    /// The error of the last call.
    var lastError: (number: Int, text: String) {
        (Int(mysql_errno(handle)), ServerWords.text(mysql_error(handle)))
    }

    /// Clears the errors that OpenSSL keeps for each thread.
    ///
    /// One that another connection left on this thread, by ending without a goodbye, would turn the next "nothing to read
    /// yet" into a lost connection: OpenSSL asks its callers to clear them, and libmariadb does not (10.11).
    private func forgetTLSErrors() {
        if encryption.isAskedFor { ERR_clear_error() }
    }

    /// Runs a call of the library that may start TLS, in which the server's certificate is judged as the mode says.
    func startingTLS<Result>(_ call: () -> Result) -> Result {
        encryption.isAskedFor && (encryption.mode.acceptsAnyCertificate || encryption.isPinned)
            ? CertificateCheck.judge(for: handle, during: call) : call()
    }

    /// Takes note of a key that the server shows.
    func takeKey(_ key: ServerKey) {
        if !shownKeys.contains(key) { shownKeys.append(key) }
    }

    /// Judges, once, who listens at the unix socket, before anything is sent there.
    func judgesListener() -> Bool {
        guard !isListenerSeen else { return true }
        isListenerSeen = true
        refusal = trust.refusal(ofListenerAt: mysql_get_socket(handle))
        return refusal == nil
    }

    /// Judges the key of the certificate against the pinned ones.
    func matchesPin() -> Bool {
        let key = shownKeys.last
        guard !trust.matchesPin(key) else { return true }
        refusal = key.map { .notPinned($0) } ?? .noKey
        return false
    }

    /// Whether the server may have the password itself, for which it has just asked.
    func mayHavePassword(isEncrypted: Bool) -> Bool {
        if trust.needsFiles(for: shownKeys.last, isEncrypted: isEncrypted) {
            verdict = .startOver
            return false
        }
        // One that was refused before is cut off, and the library may go on for a moment with what it has read.
        refusal = refusal ?? trust.refusal(of: shownKeys.last, isEncrypted: isEncrypted)
        return refusal == nil
    }

    /// Puts `/dev/null` in the place of the library's descriptor: whatever it reads next is the end, and it gives up.
    ///
    /// The library's own way, MYSQL_WAIT_TIMEOUT, ends no call over TLS: there it reads on for ever (libmariadb 10.11).
    func disconnect() {
        let descriptor = mysql_get_socket(handle)
        guard descriptor >= 0 else { return }
        let nothing = open("/dev/null", O_RDWR | O_CLOEXEC)
        guard nothing >= 0 else {
            // No descriptor is left for it: the server is told instead, and its hanging up ends the call.
            shutdown(descriptor, Int32(SHUT_RDWR))
            return
        }
        dup2(nothing, descriptor)
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        close(nothing)
    }

    /// Runs one call of the non-blocking interface to its end, suspended while it waits for the server.
    ///
    /// When the wait is interrupted the library is cut off from the server, so that the call fails and unwinds at once; the
    /// session can then only be ended, through ``socket``.
    ///
    /// The limits are looked at in every round, and not only in a wait: a server that has always sent more already is never
    /// waited for.
    ///
    /// - Parameters:
    ///   - result: Where the call leaves its result; its value before the call.
    ///   - limits: When to give up.
    ///   - start: Starts the call; returns what it waits for, or 0 when it is done.
    ///   - resume: Goes on with the call after a wait.
    /// - Returns: What the call returns.
    /// - Throws: Why the wait was given up.
    func drive<Result>(
        _ result: Result,
        limits: Limits,
        start: (UnsafeMutablePointer<Result>) -> Int32,
        resume: (UnsafeMutablePointer<Result>, Int32) -> Int32
    ) async throws(Interruption) -> Result {
        var result = result
        if let interruption = limits.passed {
            cutOff()
            throw interruption
        }
        forgetTLSErrors()
        var status = start(&result)
        while status != 0 {
            let outcome = await waitUntilReady(
                // The same one for all of a session's waits, its end included.
                socket?.descriptor ?? mysql_get_socket(handle),
                // MYSQL_WAIT_READ is POLLIN; MYSQL_WAIT_WRITE is not POLLOUT.
                events: (status & 1 != 0 ? 0x001 : 0) | (status & 2 != 0 ? 0x004 : 0),
                until: limits.deadline,
                cancellable: limits.isCancellable,
                inline: &inline,
                stoppable: waits
            )
            let given: Interruption = outcome == .cancelled ? .cancelled : .deadlinePassed
            if let interruption = outcome == .ready ? limits.passed : given {
                cutOff()
                while status != 0 { status = resume(&result, status & 3) }
                throw interruption
            }
            forgetTLSErrors()
            status = resume(&result, status & 3)
        }
        return result
    }

    private func cutOff() {
        isCutOff = true
        disconnect()
    }
}

/// What a server says of itself and of a session when that begins.
struct ServerFacts: Sendable {
    var sessionID: UInt64
    var version: String
    var isMariaDB: Bool
    var isEncrypted: Bool
    var node: Endpoint?
}

/// Says when a wait is given up.
struct Limits {
    /// The moment at which to give up; `nil` waits for ever.
    var deadline: ContinuousClock.Instant?

    /// Whether cancelling the task ends the wait; false for what must finish, such as a COMMIT or a KILL.
    var isCancellable = true

    /// Why to give up now; `nil` while there is no reason to.
    fileprivate var passed: Interruption? {
        if isCancellable, Task.isCancelled { return .cancelled }
        return deadline.map { $0 <= .now } == true ? .deadlinePassed : nil
    }
}

/// Why a wait was given up.
enum Interruption: Error, Equatable {
    /// The task was cancelled.
    case cancelled
    /// The deadline passed.
    case deadlinePassed
    /// The host gave no thread or descriptor to wait with.
    case exhausted(DatabaseError)
}

/// A C string that lives as long as this object: a call that is suspended still reads its arguments.
final class CString {
    let pointer: UnsafeMutablePointer<CChar>
    let count: Int

    /// Copies the text, with a terminating zero.
    init(_ text: String) {
        var text = text
        (pointer, count) = text.withUTF8 { bytes in
            let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
            bytes.withMemoryRebound(to: CChar.self) { source in
                if let base = source.baseAddress { copy.initialize(from: base, count: source.count) }
            }
            (copy + bytes.count).initialize(to: 0)
            return (copy, bytes.count)
        }
    }

    deinit {
        pointer.deallocate()
    }
}

/// The C client that Headroom speaks to servers through.
package enum ClientLibrary {
    /// Its version.
    package static var version: String { String(cString: mysql_get_client_info()) }

    /// It and what it is built on, each a name and a version.
    package static var versions: [(name: String, version: String)] {
        var versions = [("MariaDB Connector/C", version)]
        versions.append(("OpenSSL", OpenSSL_version(OPENSSL_VERSION_STRING).map { String(cString: $0) } ?? "unknown"))
        #if STATIC_PROGRAM
        versions.append(("zlib", String(cString: zlibVersion())))
        #endif
        return versions
    }
}
