import CMariaDB

extension Client {
    /// Sends a statement that returns no rows, without waiting for its reply.
    ///
    /// The server works on it while the caller goes on. ``collectReplies(_:)`` must come before the reply to the next
    /// statement is read; the statement itself may be sent before.
    func sendAhead(_ statement: String) {
        let text = CString(statement)
        if mysql_send_query(handle, text.pointer, UInt(text.count)) == 0 { repliesOwed += 1 }
        withExtendedLifetime(text) {}
    }

    /// Sends a statement that returns no rows, and waits for its reply.
    ///
    /// - Throws: ``DatabaseError`` when the transaction is lost; that a server knows no such setting is no reason to fail.
    func tell(_ statement: String, _ limits: Limits) async throws {
        try await collectReplies(limits)
        sendAhead(statement)
        guard repliesOwed > 0 else { return }
        repliesOwed -= 1
        if try await readReply(limits) != 0, statementError.isRetryableTransaction { throw statementError }
    }

    /// Reads the replies to the statements sent ahead.
    ///
    /// A server that knows no such setting says so; that is no reason to fail. A session that was lost shows at the next
    /// statement, with what the server has said at its end, such as that init_connect failed.
    func collectReplies(_ limits: Limits) async throws(Interruption) {
        while repliesOwed > 0 {
            repliesOwed -= 1
            if try await readReply(limits) != 0, farewell == nil {
                let (number, text) = lastError
                let row = ErrorTable.number(number, isOfLogin: false, text: text)
                if row?.code == .connectionLost, !ConnectFailure.isOfTheLine(number) { farewell = (number, text) }
            }
        }
    }

    /// Reads the head of the reply to the statement that was sent last; 0 when it succeeded.
    func readReply(_ limits: Limits) async throws(Interruption) -> my_bool {
        // Each reply counts its packets from 1, but the library counts on from the reply before when two statements were
        // sent at once.
        handle.pointee.net.pkt_nr = 1
        replyBound.begin()
        return try await drive(0 as my_bool, limits: limits) { result in
            mysql_read_query_result_start(result, handle)
        } resume: { result, events in
            mysql_read_query_result_cont(result, handle, events)
        }
    }

    /// Makes the session as good as new, in the way that keeps the account's count right on this server.
    func renew(_ settings: DatabaseSettings, limits: Limits) async throws {
        try await collectReplies(limits)
        replyBound.begin()
        let failed: my_bool
        if isMariaDB {
            let username = CString(settings.username)
            let password = CString(settings.password)
            let database = settings.database.map { CString($0) }
            defer { withExtendedLifetime((username, password, database)) {} }
            failed = try await drive(0 as my_bool, limits: limits) { result in
                mysql_change_user_start(result, handle, username.pointer, password.pointer, database?.pointer)
            } resume: { result, events in
                mysql_change_user_cont(result, handle, events)
            }
        } else {
            failed =
                try await drive(0 as Int32, limits: limits) { result in
                    mysql_reset_connection_start(result, handle)
                } resume: { result, events in
                    mysql_reset_connection_cont(result, handle, events)
                } == 0 ? 0 : 1
        }
        if let refusal { throw ConnectFailure.notTrusted(refusal, settings) }
        guard failed == 0 else { throw statementError }
        freeStatements()
    }
}
