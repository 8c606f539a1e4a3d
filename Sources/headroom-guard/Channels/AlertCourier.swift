/// Takes alerts out on each channel, in their order, without the guard's waiting for it.
///
/// What a slow channel has not sent yet is bounded: the oldest alerts go first.
final class AlertCourier: Sendable {
    private static let mostWaiting = 100

    private let entrances: [AsyncStream<Alert>.Continuation]
    private let tasks: [Task<Void, Never>]

    /// Creates a courier.
    ///
    /// - Parameters:
    ///   - channels: The channels.
    ///   - failed: Is told of each alert that could not be sent.
    init(_ channels: [any AlertChannel], failed: @escaping @Sendable (_ channel: String, any Error) -> Void) {
        var entrances: [AsyncStream<Alert>.Continuation] = []
        var tasks: [Task<Void, Never>] = []
        for channel in channels {
            let (alerts, entrance) = AsyncStream.makeStream(
                of: Alert.self,
                bufferingPolicy: .bufferingNewest(Self.mostWaiting)
            )
            entrances.append(entrance)
            tasks.append(
                Task {
                    for await alert in alerts {
                        do { try await channel.send(alert) } catch { failed(channel.name, error) }
                    }
                }
            )
        }
        self.entrances = entrances
        self.tasks = tasks
    }

    /// Hands an alert to every channel.
    func post(_ alert: Alert) {
        for entrance in entrances { entrance.yield(alert) }
    }

    /// Waits until everything is out, for a time at most; what is not by then is given up.
    func finish(within limit: Duration) async {
        for entrance in entrances { entrance.finish() }
        let tasks = tasks
        let timer = Task {
            try? await Task.sleep(for: limit)
            for task in tasks { task.cancel() }
        }
        for task in tasks { await task.value }
        timer.cancel()
    }
}
