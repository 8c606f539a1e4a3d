import NIOCore

/// Decides how long a connection may take, to send a request and to take its answer, and how many requests it may send.
///
/// Who drips a request byte by byte holds a connection no longer than who sends nothing.
struct RequestClock: Sendable {
    /// The times; a deadline is for the whole head or body, never for the next byte of it.
    struct Times: Sendable {
        /// For the first request's head, the TLS handshake included.
        var firstHead = TimeAmount.seconds(10)
        /// For the head of each request after the first, from the answer before it.
        var nextHead = TimeAmount.seconds(30)
        /// For a request's body, beside what its bytes take at the least speed.
        var body = TimeAmount.seconds(20)
        /// The least speed of a body, in bytes a second.
        var bytesPerSecond = 8192
        /// For the rest of a body whose request was answered before it was whole.
        var rest = TimeAmount.seconds(5)
        /// For the client to take some of what waits to be sent.
        var unread = TimeAmount.seconds(30)
        /// Between the requests of a client that has not signed in.
        var strangersRequest = TimeAmount.milliseconds(250)
        /// How far such a client may be ahead of that: 16 requests, more than a browser has for a page.
        var strangersLead = TimeAmount.seconds(4)
    }

    private let times: Times
    private var since: NIODeadline
    private var blockedSince: NIODeadline?
    private var isFirst = true
    private var isReading = false
    private var bytes = 0
    private var unanswered = 0
    /// When the next request may be read, if the client has not signed in.
    private(set) var strangersNext: NIODeadline

    /// The most requests that may wait for their answers; browsers and proxies send one at a time.
    static let mostUnanswered = 4

    init(_ times: Times = Times(), now: NIODeadline) {
        self.times = times
        (since, strangersNext) = (now, now - times.strangersLead)
    }

    /// Whether the client owes us something: a request, or a part of one, or to take its answer.
    var isIncomplete: Bool { isReading || unanswered == 0 || blockedSince != nil }

    /// Whether the client sends requests, but waits for no answer.
    var isFlooding: Bool { unanswered > Self.mostUnanswered }

    /// When the connection is to be closed; `nil` while the client has done its part.
    var deadline: NIODeadline? {
        let request: NIODeadline? =
            if isReading {
                unanswered == 0
                    ? since + times.rest : since + times.body + .seconds(Int64(bytes / times.bytesPerSecond))
            } else if unanswered == 0 {
                since + (isFirst ? times.firstHead : times.nextHead)
            } else {
                nil
            }
        return [request, blockedSince.map { $0 + times.unread }].compactMap(\.self).min()
    }

    /// A request's head has come.
    mutating func headCame(at now: NIODeadline) {
        (since, isFirst, isReading, bytes) = (now, false, true, 0)
        unanswered += 1
        strangersNext = max(strangersNext, now - times.strangersLead) + times.strangersRequest
    }

    /// A part of its body has come.
    mutating func bodyCame(_ count: Int) { bytes += count }

    /// The request is whole.
    mutating func requestEnded(at now: NIODeadline) { (since, isReading) = (now, false) }

    /// A request was answered.
    mutating func answered(at now: NIODeadline) {
        since = now
        unanswered -= 1
    }

    /// The client takes what is sent, or does not.
    mutating func canWrite(_ canWrite: Bool, at now: NIODeadline) {
        blockedSince = canWrite ? nil : blockedSince ?? now
    }
}
