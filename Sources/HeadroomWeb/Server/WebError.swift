import HTTPTypes
import Headroom
import MeterImport

/// Why a request cannot be answered: what happened, why, and what to do next.
struct WebError: Error {
    var status: HTTPResponse.Status
    var code: String
    var message: String
    var advice: String

    /// When to try again, in seconds; `nil` when that is not said.
    var retryAfter: Int?

    init(
        _ status: HTTPResponse.Status,
        _ message: String,
        advice: String = "",
        code: String? = nil,
        retryAfter: Int? = nil
    ) {
        self.status = status
        self.retryAfter = retryAfter
        self.message = message
        self.advice = advice
        self.code = code ?? Self.code(status)
    }

    /// An error of the database, in HTTP's terms.
    init(_ error: DatabaseError) {
        let isAway = error.isRefusal || error.isConnectFailure && error.waitingCanHelp
        self.init(
            .serviceUnavailable,
            error.message,
            advice: isAway ? "The account is full or away: see the account's page." : error.advice,
            code: error.code.description
        )
    }

    init(_ error: ImportError) {
        self.init(.unprocessableContent, error.description, code: "file_unusable")
    }

    private static func code(_ status: HTTPResponse.Status) -> String {
        status.reasonPhrase.lowercased().unicodeScalars.map { $0.isLatinLetter ? "\($0)" : "_" }.joined()
    }
}
