/// What a byte of the file stands for, when it is locked.
enum LockByte: Hashable {
    /// A slot of the budget.
    case slot(Int)
    /// A member that lives.
    case member(Int)
    /// The right to try whether a full account lets somebody in again.
    case prober
    /// The right to open a connection outside of the budget, to end a session.
    case reserve
    /// The right to take several slots, one after the other.
    case gather
    /// The right to ask for this host's share of an account that several hosts share.
    case share
    /// The right to write the head of the file.
    case head

    /// Far behind the records, where no byte needs to exist to be locked.
    ///
    /// The same in every version, for ever: a program that locked another byte would grant what one beside it holds.
    var byte: Int64 {
        switch self {
        case .slot(let index): 1 << 24 + Int64(index)
        case .member(let index): 1 << 25 + Int64(index)
        case .prober: 1 << 26
        case .reserve: 1 << 26 + 1
        case .head: 1 << 26 + 2
        case .gather: 1 << 26 + 3
        case .share: 1 << 26 + 4
        }
    }
}
