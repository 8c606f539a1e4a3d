/// A way on which alerts go out.
package protocol AlertChannel: Sendable {
    /// What it is, for the log.
    var name: String { get }

    /// Sends one alert; may take a while, and is cancelled when it takes too long.
    func send(_ alert: Alert) async throws
}
