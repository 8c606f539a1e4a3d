import CLibrary

/// Starts a thread that runs `body` once and ends.
///
/// For work that must not run on Swift's cooperative threads, because it sleeps in the kernel.
///
/// - Throws: ``DatabaseError`` with `hostExhausted` when the kernel gives this process no further thread.
package func startDetachedThread(
    named name: String,
    stack: Int = 512 * 1024,
    _ body: @escaping @Sendable () -> Void
) throws(DatabaseError) {
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
        stack
    )
    guard result == 0 else {
        start.release()
        throw .hostExhausted("thread", error: result)
    }
}

extension DatabaseError {
    /// The kernel refuses this process a thread or a descriptor.
    package static func hostExhausted(_ what: String, error: Int32) -> DatabaseError {
        DatabaseError(
            .hostExhausted,
            message:
                "The host gives this process no further \(what): \(String(cString: strerror(error))) (error \(error))."
        )
    }
}
