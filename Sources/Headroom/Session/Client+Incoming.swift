import CMariaDB

/// What the library tells of a connection while one of its calls runs: on whatever thread or stack that is.
extension Client {
    /// Leaves this client with its handle, for the library's callbacks to find.
    ///
    /// Not retained: the client frees the handle, and what is left goes with it.
    func leaveWithHandle() {
        mysql_options4(handle, MARIADB_OPT_USERDATA, Self.name, Unmanaged.passUnretained(self).toOpaque())
    }

    /// The client of a handle; `nil` for a handle that other code of this process has.
    static func of(_ handle: UnsafeMutablePointer<MYSQL>) -> Client? {
        mariadb_left_with(handle, name).map { Unmanaged<Client>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Has the library tell of what is read, once for the process: right after the read, before it looks at it.
    static let startListening: Void = {
        _ = ma_pvio_register_callback(1) { mode, handle, bytes, count in
            guard mode == 0, count > 0, let handle, let bytes, let client = Client.of(handle) else { return }
            client.receive(UnsafeBufferPointer(start: bytes, count: count))
        }
    }()

    private static let name = "headroom"

    /// Judges what the server has sent, and cuts the library off from it where that must not go on.
    private func receive(_ bytes: UnsafeBufferPointer<UInt8>) {
        // With the first bytes, and not after the call: a login may be refused in the same call, and the library's own
        // descriptor is closed then.
        if socket == nil {
            socket = SessionSocket(duplicating: mysql_get_socket(handle), isUnix: trust.socket != nil)
        }
        guard judgesListener() else { return disconnect() }
        guard replyBound.take(bytes, columns: Int(handle.pointee.field_count)) else {
            isOverBound = true
            return disconnect()
        }
        guard let finding = greeting?.take(bytes), let verdict = encryption.verdict(finding) else { return }
        greeting = nil
        self.verdict = verdict
        guard verdict == .proceed else { return disconnect() }
        // A method that begins with the password, or with a question at the terminal, would do so before TLS is in force. With
        // another name in the first packet the server has to ask for it again, after that.
        if case .offer(_, let name) = finding, AuthenticationMethod(rawValue: name)?.beginsWithProof != true {
            mysql_options(handle, MYSQL_DEFAULT_AUTH, AuthenticationMethod.cachingSHA2.rawValue)
        }
    }

    /// Counts a further result of a reply before it is read.
    ///
    /// - Throws: ``DatabaseError`` when the reply has too many; the library is cut off then.
    func takeFurtherResult() throws(DatabaseError) {
        guard !replyBound.takeResult() else { return }
        isOverBound = true
        disconnect()
        throw StatementFailure.replyTooLarge
    }

    /// The error of a call that has failed, whose number and text the library has left.
    func error(_ number: Int, _ text: String, state: String? = nil) -> DatabaseError {
        if isOverBound { return StatementFailure.replyTooLarge }
        if let farewell, ConnectFailure.isOfTheLine(number) {
            return StatementFailure.error(farewell.number, farewell.text)
        }
        return StatementFailure.error(number, text, state: state, sent: bytesSent)
    }
}
