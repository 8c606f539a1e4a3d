/// Whether it is known which sessions are inside a transaction; the raw values are what `--json` prints.
public enum TransactionKnowledge: String, Sendable, Hashable {
    /// It is known.
    case known
    /// The account may not know: it lacks the PROCESS privilege.
    case noPrivilege = "no_process_privilege"
    /// The server gave an old list: it makes a new one only when nobody has read the last for 0.1 s, and somebody does.
    case stale
    /// The server has no such list.
    case unavailable

    /// Why it is not known, in words; `nil` when it is.
    public var reason: String? {
        switch self {
        case .known: nil
        case .noPrivilege: "this account lacks the PROCESS privilege"
        case .stale: "another program reads INNODB_TRX so often that the server never renews it"
        case .unavailable: "the server has no list of transactions"
        }
    }
}
