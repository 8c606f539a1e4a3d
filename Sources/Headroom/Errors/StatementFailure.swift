/// Tells from an error number and its text why a statement failed on an open connection.
enum StatementFailure {
    /// The server has sent more than is kept of one reply, and was cut off.
    static let replyTooLarge = DatabaseError(
        .replyTooLarge,
        message:
            "The server's reply is larger than \(ReplyBound.largest >> 20) MiB or has more than "
            + "\(ReplyBound.mostResults) results, which is the most that is kept of one; the connection was ended."
    )

    /// From which size on a lost connection is laid to the statement: 16 MiB less a packet's head, which is what MariaDB takes
    /// by default (max_allowed_packet).
    static let largestStatement = (16 << 20) - 1024

    /// Creates the error.
    ///
    /// - Parameters:
    ///   - number: The server's or the library's number.
    ///   - text: Its words.
    ///   - state: Its SQLSTATE.
    ///   - sent: The bytes of the statement with its values.
    /// - Returns: The error.
    static func error(_ number: Int, _ text: String, state: String? = nil, sent: Int = 0) -> DatabaseError {
        // The library has refused a packet by its header.
        if number == 2020 { return replyTooLarge }
        // The server hangs up on a packet that is too large, and the library has not read why.
        if sent > largestStatement, [2006, 2013, 2055].contains(number) {
            return ServerWords.error(2020, text, isOfLogin: false)
        }
        // What the library could not read, with a number or without.
        var error = ServerWords.error(number == 0 ? 2027 : number, text, isOfLogin: false)
        // What the library says where there is none.
        if state != "00000" { error.sqlState = state }
        return error
    }
}
