import HTTPTypes
import Headroom
import Hummingbird

/// Decides what a client is told when its request could not have the database, without a name of anything behind the server.
struct Refusal: Equatable {
    /// The status of the response.
    var status: HTTPResponse.Status

    /// How many seconds the client should wait before it asks again; `nil` when waiting does not help.
    var retryAfter: Int?

    /// What a person is told.
    var message: String

    /// How busy the database is, as far as this process knows.
    struct Load: Equatable {
        /// How long this request has waited in vain.
        var waited: Duration
        /// How many other tasks wait.
        var waiting: Int
        /// How many connections there may be; `nil` when not known.
        var slots: Int?
        /// How long a request holds its connection on average; `nil` before the first.
        var use: Duration?
    }

    /// Decides about an error; `nil` for one that is the program's own affair (500).
    ///
    /// - Parameters:
    ///   - error: The error.
    ///   - load: How busy the database is.
    ///   - jitter: From 0 to 1; spreads those who were refused together.
    init?(_ error: DatabaseError, load: Load, jitter: Double) {
        switch error.code {
        case _ where error.code == .budgetExhausted || error.isConnectionLimit:
            let seconds = Self.patience(load, jitter: jitter)
            self.init(
                status: .serviceUnavailable,
                retryAfter: seconds,
                message: "The service is busy. Please try again in \(seconds) s."
            )
        case .hourlyLimitReached:
            // The hour began at some login that nobody noted: it ends within an hour.
            self.init(
                status: .serviceUnavailable,
                retryAfter: 3_600,
                message: "The service has reached its limit for this hour. Please try again later."
            )
        case _ where error.waitingCanHelp || error.code == .tlsFailed:
            let seconds = 5 + Int(jitter * 5)
            self.init(
                status: .serviceUnavailable,
                retryAfter: seconds,
                message: "The service is not available at the moment. Please try again in \(seconds) s."
            )
        case .hostBlocked:
            self.init(status: .serviceUnavailable, message: "The service is not available at the moment.")
        case .deadlineExceeded:
            self.init(status: .gatewayTimeout, message: "The request took too long.")
        default:
            return nil
        }
    }

    init(status: HTTPResponse.Status, retryAfter: Int? = nil, message: String) {
        self.status = status
        self.retryAfter = retryAfter
        self.message = message
    }

    /// For a client that has gone away: nobody reads it but the logs, which should not count it as a failure of ours.
    static var clientLeft: Refusal {
        Refusal(
            status: .init(code: 499, reasonPhrase: "Client Closed Request"),
            message: "The client has gone away."
        )
    }

    /// The error that Hummingbird makes the response from.
    var error: HTTPError {
        var headers = HTTPFields()
        if let retryAfter { headers[.retryAfter] = "\(retryAfter)" }
        return HTTPError(status, headers: headers, message: message)
    }

    /// The seconds in which the line before this request should be served.
    ///
    /// At least as long as it has just waited in vain, up to half as much again at random, and within a minute.
    private static func patience(_ load: Load, jitter: Double) -> Int {
        let line = load.use.map { $0 * Double(load.waiting + 1) / Double(max(1, load.slots ?? 1)) } ?? .zero
        let seconds = max(load.waited, line) / .seconds(1) * (1 + jitter / 2)
        return min(60, max(1, Int(clamped: seconds.rounded(.up))))
    }
}
