import Tracing

/// The spans of distributed tracing: one for getting a connection, one for each statement.
///
/// Names and attributes are OpenTelemetry's for databases; never the text of a statement or a value, only its first word.
enum DatabaseSpan {
    /// Whether tracing is on: asked once for each database, as the answer costs more than all else here.
    static var isWanted: Bool {
        !(InstrumentationSystem.instrument is NoOpInstrument) && !(InstrumentationSystem.tracer is NoOpTracer)
    }

    /// Begins the span of getting a connection, waiting for a slot included; `nil` when tracing is off.
    static func connecting(_ sessions: Sessions, label: String) -> (any Span)? {
        guard sessions.isTraced else { return nil }
        let span = begin("headroom.connect", sessions.settings)
        if !label.isEmpty { span.attributes["headroom.label"] = label }
        return span
    }

    /// Begins the span of a statement; `nil` when tracing is off.
    static func statement(_ sql: SQL, _ connection: Connection) -> (any Span)? {
        guard connection.sessions.isTraced else { return nil }
        let operation = sql.text.dropping(\.isBlank).leading(\.isLatinLetter).uppercased()
        let span = begin(operation.isEmpty ? "headroom.statement" : operation, connection.sessions.settings)
        span.attributes["db.system.name"] = connection.isMariaDB ? "mariadb" : "mysql"
        span.attributes["db.operation.name"] = operation
        return span
    }

    private static func begin(_ name: String, _ settings: DatabaseSettings) -> any Span {
        let span = startSpan(name, ofKind: .client)
        switch settings.endpoint {
        case .socket(let path):
            span.attributes["server.address"] = path
        case .tcp(let host, let port):
            span.attributes["server.address"] = host
            span.attributes["server.port"] = port
        }
        if let database = settings.database { span.attributes["db.namespace"] = database }
        return span
    }
}

extension Span {
    /// Ends the span after a failure.
    func end(with error: any Error) {
        if let error = error as? DatabaseError {
            attributes["error.type"] = error.code.description
            if let code = error.serverCode { attributes["db.response.status_code"] = "\(code)" }
            setStatus(SpanStatus(code: .error))
        } else {
            attributes["error.type"] = "\(type(of: error))"
            setStatus(SpanStatus(code: .error))
        }
        end()
    }
}

/// Runs the body inside a span, if there is one.
func traced<Result: ~Copyable>(_ span: (any Span)?, _ body: () async throws -> Result) async throws -> Result {
    guard let span else { return try await body() }
    do {
        let result = try await body()
        span.end()
        return result
    } catch {
        span.end(with: error)
        throw error
    }
}
