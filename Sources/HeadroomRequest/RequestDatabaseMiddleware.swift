public import Headroom
public import Hummingbird
import Logging

/// Gives each request a database of its own, and closes its connection, confirmed, before the response ends.
///
/// - Nothing is opened until the handler asks (``RequestDatabase/withConnection(file:line:_:)``).
/// - A response of known length leaves when the connection is closed; a stream's last chunk does.
/// - A client that goes away, in the middle of a statement too, has the statement ended and the connection closed at once.
/// - A request that gets no connection in time is answered with 503 and `Retry-After`, without a name of anything inside.
///
/// Add it behind what logs and counts requests, before what may ask for a connection.
public struct RequestDatabaseMiddleware<Context: DatabaseRequestContext>: RouterMiddleware {
    private let database: Database
    private let waitTimeout: Duration
    private let timeout: Duration

    /// Creates the middleware.
    ///
    /// - Parameters:
    ///   - database: Where the connections come from.
    ///   - waitTimeout: How long a request may wait for a place; 5 s by default.
    ///   - timeout: How long it may hold it, the time that its client takes to read a stream included; a minute by default.
    public init(_ database: Database, waitTimeout: Duration = .seconds(5), timeout: Duration = .seconds(60)) {
        self.database = database
        self.waitTimeout = waitTimeout
        self.timeout = timeout
    }

    /// Answers a request.
    @concurrent public func handle(
        _ request: Request,
        context: Context,
        next: @concurrent (Request, Context) async throws -> Response
    ) async throws -> Response {
        let own = context.database
        let (method, path) = (request.method, context.coreContext.endpointPath)
        let isFirst = own.lead(
            to: RequestDatabase.Source(
                database: database,
                waitTimeout: waitTimeout,
                timeout: timeout,
                label: { path.value.map { "\(method) \($0)" } ?? "\(method)" }
            )
        )
        // Added twice: the outer one does it.
        guard isFirst else { return try await next(request, context) }
        var response: Response
        do {
            response = try await withoutActuallyEscaping(next) { next in
                // The task that it goes to is waited for: two never use it at a time.
                nonisolated(unsafe) let next = next
                return try await own.cancellable { try await next(request, context) }
            }
        } catch {
            await own.finish()
            throw refusal(of: error, own, context.logger) ?? error
        }
        guard method != .head, response.body.contentLength == nil else {
            // Nothing that is still to be sent needs it, and its end may be the head's: the client must not see it earlier.
            await own.finish()
            return response
        }
        response.body = response.body.closing(own)
        return response
    }

    /// What the client is told of an error; `nil` when that is not for us to say.
    private func refusal(of error: any Error, _ own: RequestDatabase, _ logger: Logger) -> (any Error)? {
        if own.ending == .clientLeft {
            logger.debug("The client has gone away, and its request was given up.")
            return Refusal.clientLeft.error
        }
        if own.ending == .expired, error is CancellationError {
            logger.warning("A request was given up: it has held its connection for too long.")
            return Refusal(status: .gatewayTimeout, message: "The request took too long.").error
        }
        guard let error = error as? DatabaseError else { return nil }
        let statistics = database.statistics
        let load = Refusal.Load(
            waited: waitTimeout,
            waiting: statistics.waiting,
            slots: database.budget,
            use: statistics.useCount > 0 ? statistics.useTime / statistics.useCount : nil
        )
        let refusal = Refusal(error, load: load, jitter: .random(in: 0..<1))
        logger.error(
            "A request failed for the database's sake.",
            metadata: [
                "error.code": "\(error.code)", "error.message": "\(error.message)",
                "http.status": "\(refusal?.status.code ?? 500)",
            ]
        )
        return refusal?.error
    }
}
