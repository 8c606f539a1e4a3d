/// Takes alerts out on each channel, in their order, without their sender's waiting for it.
///
/// What a slow channel has not sent yet is bounded: the oldest alerts are given up first.
package final class AlertCourier: Sendable {
    private static let mostWaiting = 100

    private let channels: [(name: String, entrance: AsyncStream<Parcel>.Continuation)]
    private let tasks: [Task<Void, Never>]
    private let failed: @Sendable (_ channel: String, any Error) -> Void

    /// An alert on its way, and what to do once it is out.
    private struct Parcel: Sendable {
        var alert: Alert
        var sent: @Sendable () async -> Void
    }

    /// An alert that was never sent.
    private struct TooMany: Error, CustomStringConvertible {
        var alert: Alert
        var description: String { "\(mostWaiting) alerts wait already, so this one is given up: \(alert.message)" }
    }

    /// Creates a courier.
    ///
    /// - Parameters:
    ///   - channels: The channels.
    ///   - failed: Is told of each alert that could not be sent.
    package init(
        _ channels: [any AlertChannel],
        failed: @escaping @Sendable (_ channel: String, any Error) -> Void
    ) {
        var entrances: [(String, AsyncStream<Parcel>.Continuation)] = []
        var tasks: [Task<Void, Never>] = []
        for channel in channels {
            let (parcels, entrance) = AsyncStream.makeStream(
                of: Parcel.self,
                bufferingPolicy: .bufferingNewest(Self.mostWaiting)
            )
            entrances.append((channel.name, entrance))
            tasks.append(
                Task {
                    for await parcel in parcels {
                        do {
                            try await channel.send(parcel.alert)
                            await parcel.sent()
                        } catch {
                            failed(channel.name, error)
                        }
                    }
                }
            )
        }
        self.channels = entrances
        self.tasks = tasks
        self.failed = failed
    }

    /// Hands an alert to every channel.
    ///
    /// - Parameters:
    ///   - alert: The alert.
    ///   - sent: Runs once for each channel that it went out by.
    package func post(_ alert: Alert, sent: @escaping @Sendable () async -> Void = {}) {
        for channel in channels {
            if case .dropped(let oldest) = channel.entrance.yield(Parcel(alert: alert, sent: sent)) {
                failed(channel.name, TooMany(alert: oldest.alert))
            }
        }
    }

    /// Waits until everything is out, for a time at most; what is not by then is given up.
    package func finish(within limit: Duration) async {
        for channel in channels { channel.entrance.finish() }
        let tasks = tasks
        let timer = Task {
            try? await Task.sleep(for: limit)
            for task in tasks { task.cancel() }
        }
        for task in tasks { await task.value }
        timer.cancel()
    }
}
