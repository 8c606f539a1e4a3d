@preconcurrency import Dispatch
import Glibc

/// Hears SIGINT, SIGTERM and SIGHUP, and hands each on.
package final class Interrupts: Sendable {
    private let sources: [any DispatchSourceSignal]

    /// Starts to listen.
    package init(_ heard: @escaping @Sendable (Int32) -> Void) {
        sources = [SIGINT, SIGTERM, SIGHUP]
            .map { number in
                // A handler that does nothing, not SIG_IGN: an ignored signal stays ignored in the programs that we start.
                signal(number, { _ in })
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { heard(number) }
                source.resume()
                return source
            }
    }

    /// Stops listening.
    package func stop() {
        for source in sources { source.cancel() }
    }
}
