import CLibrary

/// Starts a thread that runs `body` once and ends.
///
/// For work that must not run on Swift's cooperative threads, because it sleeps in the kernel.
package func startDetachedThread(named name: String, _ body: @escaping @Sendable () -> Void) {
    final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void
        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
    let start = Unmanaged.passRetained(Start(name: name, body: body))
    let result = kernel_start_thread(
        { argument in
            guard let argument else { return nil }
            let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
            _ = kernel_name_thread(start.name)
            start.body()
            return nil
        },
        start.toOpaque(),
        512 * 1024
    )
    precondition(result == 0, "The kernel gives this process no further thread (pthread_create: error \(result)).")
}
