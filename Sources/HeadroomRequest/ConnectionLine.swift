import DequeModule

/// Decides whose turn it is to use a request's connection, and when it is closed for good.
///
/// One at a time has the turn, in the order of asking. Closing takes a turn too, so that it never happens under a statement.
struct ConnectionLine<Waiter> {
    /// Why nobody gets the connection any more.
    enum Ending: Sendable {
        /// The response is complete, or what is left of it needs no connection.
        case responded
        /// The client has gone away.
        case clientLeft
        /// The request has held its connection for longer than it may.
        case expired
    }

    /// What somebody wants the turn for.
    enum Purpose: Sendable {
        /// To run statements.
        case statements
        /// To read the rows that the connection is promised to.
        case rows
        /// To close the connection.
        case closing
    }

    /// The answer to a request that asks for the turn.
    enum Answer: Equatable {
        case yours
        case wait
        case over(Ending)
        /// The connection is promised to the rows of a response, whose writing has not begun.
        case promised
    }

    /// Why nobody gets a turn any more; `nil` as long as the request may ask.
    private(set) var ending: Ending?

    /// Whether somebody has the turn.
    private(set) var isTaken = false

    private var isPromised = false
    private var waiting: Deque<(id: UInt64, purpose: Purpose, waiter: Waiter)> = []

    /// Asks for the turn.
    ///
    /// - Parameters:
    ///   - id: A number of its own.
    ///   - purpose: What for.
    ///   - waiter: What to wake when the turn comes.
    /// - Returns: The answer; only after `wait` the waiter is kept.
    mutating func ask(_ id: UInt64, for purpose: Purpose, _ waiter: @autoclosure () -> Waiter) -> Answer {
        if purpose != .closing, let ending { return .over(ending) }
        if purpose == .statements, isPromised { return .promised }
        if purpose == .rows { isPromised = false }
        guard isTaken else {
            isTaken = true
            return .yours
        }
        waiting.append((id, purpose, waiter()))
        return .wait
    }

    /// Promises the connection to rows that will be read later; only who has the turn may do so.
    mutating func promise() { isPromised = true }

    /// Passes the turn on, and returns whom to wake.
    mutating func giveBack() -> Waiter? {
        if let next = waiting.popFirst() { return next.waiter }
        isTaken = false
        return nil
    }

    /// Takes somebody out of the line, unless the turn has come already.
    mutating func giveUp(_ id: UInt64) -> Waiter? {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return nil }
        return waiting.remove(at: index).waiter
    }

    /// Ends the asking for good, and returns who waits in vain; the first reason holds.
    mutating func end(_ reason: Ending) -> [Waiter] {
        guard ending == nil else { return [] }
        ending = reason
        let refused = waiting.filter { $0.purpose != .closing }
        waiting.removeAll { $0.purpose != .closing }
        return refused.map(\.waiter)
    }
}
