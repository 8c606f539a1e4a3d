public import Headroom
public import Hummingbird
import NIOCore
import Synchronization

/// The database as one request sees it: one connection at most, opened when it is asked for, closed before the response ends.
///
/// It comes with the request's context; ``RequestDatabaseMiddleware`` says to which database it leads. For example:
///
/// ```swift
/// router.add(middleware: RequestDatabaseMiddleware(database))
/// router.get("sites") { request, context in
///     try await context.database.withConnection { connection in
///         try await connection.query("SELECT name FROM sites ORDER BY name").decode(String.self)
///     }
/// }
/// ```
public final class RequestDatabase: Sendable {
    typealias Line = ConnectionLine<CheckedContinuation<Void, any Error>>

    /// An open connection of the request.
    ///
    /// `@unchecked Sendable`: only who has the turn in the line uses it.
    final class Held: @unchecked Sendable {
        let scope: OpenScope
        var failure: (any Error)?
        var isDone = false

        init(_ scope: OpenScope) { self.scope = scope }
    }

    /// What the middleware says of the database.
    struct Source: Sendable {
        var database: Database
        var waitTimeout: Duration
        var timeout: Duration
        /// What the request is, for the list of slots.
        var label: @Sendable () -> String
    }

    private struct State {
        var source: Source?
        var line = Line()
        var held: Held?
        var lastID: UInt64 = 0
        var isWatched = false
        /// Cancels the handler, or the writing of the body, whichever is under way.
        var cancel: (@Sendable () -> Void)?
    }

    /// Who uses the connection in this task, so that asking again gives the same one.
    private struct Turn: Sendable {
        var owner: ObjectIdentifier
        var task: Int?
        var held: Held
    }

    @TaskLocal private static var turn: Turn?

    private let channel: any Channel
    private let state = Mutex(State())

    /// Creates the database of a request, which nothing is opened for.
    ///
    /// - Parameter source: What the request's context is made from; its channel tells when the client goes away.
    public init(source: ApplicationRequestContextSource) {
        channel = source.channel
    }

    deinit {
        // A response with a stream was dropped before its body was written.
        state.withLock { state in
            guard let held = state.held, let source = state.source else { return }
            Task { await source.database.end(held.scope, after: CancellationError()) }
        }
    }

    /// Runs the body with the request's connection, which is opened the first time, and stays open for the rest of the
    /// request.
    ///
    /// - Asking again gives the same connection, also inside the body.
    /// - Tasks of the request that ask at the same time are served one after the other. A child task of the body itself
    ///   would wait for its own parent: it gets `connectionBusy`.
    /// - When the client goes away, the request's task is cancelled: a statement under way is ended on the server, and the
    ///   connection is closed.
    ///
    /// - Parameters:
    ///   - file: The place that asks, for the list of slots.
    ///   - line: The line of that place.
    ///   - body: What to do with the connection, which must not be kept beyond it.
    /// - Returns: What the body returns.
    /// - Throws: `DatabaseError` when no connection can be had, which the middleware answers with 503 or 500;
    ///   `CancellationError` when the client has gone away; or what the body throws.
    @discardableResult
    public func withConnection<Result>(
        file: StaticString = #fileID,
        line: UInt = #line,
        _ body: (Connection) async throws -> Result
    ) async throws -> Result {
        if let turn = Self.turn, isUnderWay(turn) {
            guard turn.task == Self.currentTask else { throw Self.busy }
            return try await body(turn.held.scope.connection)
        }
        try await takeTurn(for: .statements)
        do {
            let held = try await open(file: file, line: line)
            let turn = Turn(owner: ObjectIdentifier(self), task: Self.currentTask, held: held)
            do {
                let result = try await Self.$turn.withValue(turn) { try await body(held.scope.connection) }
                await giveBack()
                return result
            } catch {
                held.failure = error
                throw error
            }
        } catch {
            await giveBack()
            throw error
        }
    }

    /// Closes the connection now, for a handler that still has much to do or to send without it.
    ///
    /// A body of known length needs no such call: its connection is closed before the first byte is sent. Inside
    /// ``withConnection(file:line:_:)`` it is closed when the body returns. Asking again opens another.
    public func close() async {
        if let turn = Self.turn, isUnderWay(turn) {
            turn.held.isDone = true
        } else {
            await release()
        }
    }

    // MARK: For the middleware

    /// Says where connections come from; returns whether that was not known yet.
    func lead(to source: Source) -> Bool {
        state.withLock { state in
            guard state.source == nil else { return false }
            state.source = source
            return true
        }
    }

    /// Why the connection is not to be had any more.
    var ending: Line.Ending? { state.withLock(\.line.ending) }

    /// Runs the handler, or writes the body, in a task that ``leave(_:)`` can cancel.
    func cancellable<Result: Sendable>(
        _ operation: @escaping @Sendable @concurrent () async throws -> Result
    ) async throws -> Result {
        // Hummingbird's own task serves one request after another and hears of no client's going. This one is waited for
        // at once; it is a task of its own so that the event loop can cancel it.
        let task = Task.immediate { try await operation() }
        let hasLeft = state.withLock { state in
            state.cancel = { task.cancel() }
            return state.line.ending == .clientLeft
        }
        if hasLeft { task.cancel() }
        defer { state.withLock { $0.cancel = nil } }
        return try await withTaskCancellationHandler {
            try await task.value
        } onCancel: {
            task.cancel()
        }
    }

    /// Closes the connection for good, confirmed; returns when that is done.
    func finish() async {
        let refused = state.withLock { $0.line.end(.responded) }
        refuse(refused, .responded)
        await release()
    }

    /// The client has gone away, or the request has held its connection for too long: lets go of it as soon as can be.
    func leave(_ reason: Line.Ending) {
        let (refused, cancel, isFree) = state.withLock { state in
            guard state.line.ending == nil else {
                return ([CheckedContinuation<Void, any Error>](), nil as (@Sendable () -> Void)?, false)
            }
            let refused = state.line.end(reason)
            let isFree = state.held != nil && !state.line.isTaken
            // A handler that has had its time with an idle connection may go on without it.
            let isConcerned = state.line.isTaken || (reason == .clientLeft && state.held != nil)
            return (refused, isConcerned ? state.cancel : nil, isFree)
        }
        refuse(refused, reason)
        cancel?()
        if isFree { Task { await release() } }
    }

    // MARK: Turns

    /// Waits for the turn; ``giveBack()`` must follow.
    func takeTurn(for purpose: Line.Purpose) async throws {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer = state.withLock { state in
                    // Cancelled before now: nobody else will take it out of the line. Closing is never cancelled.
                    if Task.isCancelled, purpose != .closing { return Line.Answer.over(.clientLeft) }
                    return state.line.ask(id, for: purpose, continuation)
                }
                switch answer {
                case .wait: break
                case .yours: continuation.resume()
                case .over(let ending): continuation.resume(throwing: Self.error(ending))
                case .promised: continuation.resume(throwing: Self.busy)
                }
            }
        } onCancel: {
            guard purpose != .closing else { return }
            state.withLock { $0.line.giveUp(id) }?.resume(throwing: CancellationError())
        }
    }

    /// Passes the turn on; closes the connection before, when it is of no more use.
    func giveBack() async {
        let (held, source, isOver) = state.withLock { ($0.held, $0.source, $0.line.ending != nil) }
        if let held, let source, isOver || held.isDone || !held.scope.connection.isUsable {
            await source.database.end(held.scope, after: held.failure)
            state.withLock { $0.held = nil }
        }
        state.withLock { $0.line.giveBack() }?.resume()
    }

    /// Promises the connection to rows that will be read when the body is written; only in one's turn.
    func promise() { state.withLock { $0.line.promise() } }

    private func release() async {
        // Closing is never refused.
        try? await takeTurn(for: .closing)
        state.withLock(\.held)?.isDone = true
        await giveBack()
    }

    private func open(file: StaticString, line: UInt) async throws -> Held {
        let (held, known, isNew) = state.withLock { state in
            defer { state.isWatched = true }
            return (state.held, state.source, !state.isWatched)
        }
        if let held { return held }
        guard let source = known else {
            throw DatabaseError(
                .settingsMissing,
                message: "The request has no database.",
                advice: "Add RequestDatabaseMiddleware to the router, before the route."
            )
        }
        if isNew { ClientWatch.watch(channel, for: self) }
        let scope = try await scope(of: source, file: file, line: line)
        let new = Held(scope)
        let ending = state.withLock { state in
            state.held = new
            return state.line.ending
        }
        if let ending { throw Self.error(ending) }
        return new
    }

    private func scope(of source: Source, file: StaticString, line: UInt) async throws -> OpenScope {
        do {
            return try await source.database.beginScope(
                // Who has got a slot in time need not hurry to connect, but must not wait for a server that is silent.
                until: .now + source.waitTimeout + max(source.waitTimeout, .seconds(1)),
                waiting: source.waitTimeout,
                holding: source.timeout,
                label: source.label(),
                file: file,
                line: line,
                atDeadline: { [weak self] in self?.leave(.expired) }
            )
        } catch var error as DatabaseError where error.code == .deadlineExceeded {
            error.code = .connectTimedOut
            throw error
        }
    }

    private func refuse(_ waiters: [CheckedContinuation<Void, any Error>], _ reason: Line.Ending) {
        for waiter in waiters { waiter.resume(throwing: Self.error(reason)) }
    }

    private func isUnderWay(_ turn: Turn) -> Bool {
        guard turn.owner == ObjectIdentifier(self) else { return false }
        return state.withLock { $0.held === turn.held && $0.line.isTaken }
    }

    private static var currentTask: Int? { withUnsafeCurrentTask { $0?.hashValue } }

    private static func error(_ ending: Line.Ending) -> any Error {
        switch ending {
        case .clientLeft:
            CancellationError()
        case .expired:
            DatabaseError(
                .deadlineExceeded,
                message: "The request has held its connection for as long as it may.",
                advice: "Raise the middleware's timeout, or do less in one request."
            )
        case .responded:
            DatabaseError(
                .connectionSpent,
                message: "The request's connection is closed: a response of known length leaves without it.",
                advice: "Ask in the handler, or leave out the body's length when its writing needs the database."
            )
        }
    }

    private static var busy: DatabaseError {
        DatabaseError(
            .connectionBusy,
            message:
                "The request's connection is in use by this task's parent, or promised to the rows of its response.",
            advice: "Use the connection that the closure has been given; a request has one at most."
        )
    }
}

/// Carries a value into a task that its owner waits for.
///
/// `@unchecked Sendable`: while that task runs, its owner does nothing but wait.
struct Transferred<Value>: @unchecked Sendable {
    let value: Value
}
