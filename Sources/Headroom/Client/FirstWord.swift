import CLibrary
import CMariaDB

/// Looks at a connect between its first word to the server and the next, whatever happens in one call of the library.
///
/// By then the server has said what it offers, and only a scramble of the password has been sent. Looking between two calls
/// would be too late at times: a server that answers fast has its answer read, and answered, in the same call.
enum FirstWord {
    /// Runs a call that connects; its handle's client heeds the greeting right after the first word.
    static func heed<Result>(for client: Client, during call: () -> Result) -> Result {
        // The client is kept by its caller for as long as the call runs.
        pthread_setspecific(clientOfThread, Unmanaged.passUnretained(client).toOpaque())
        defer { pthread_setspecific(clientOfThread, nil) }
        return call()
    }

    /// Has the library tell of what is written, once for the process.
    static let startListening: Void = {
        _ = ma_pvio_register_callback(1) { mode, handle, _, _ in
            guard mode == 1, let pointer = pthread_getspecific(clientOfThread) else { return }
            let client = Unmanaged<Client>.fromOpaque(pointer).takeUnretainedValue()
            // A resolver's plug-in may be a client of a server, too.
            if client.handle == handle { client.heedGreeting() }
        }
    }()

    private static let clientOfThread: pthread_key_t = {
        var key = pthread_key_t()
        guard pthread_key_create(&key, nil) == 0 else { fatalError("The process has no thread keys left.") }
        return key
    }()
}
