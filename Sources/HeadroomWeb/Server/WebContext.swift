import Hummingbird
import NIOCore

/// What is known of a request beside itself.
struct WebContext: RequestContext {
    var coreContext: CoreRequestContextStorage

    /// The client's address, or the proxy's; `local` over a unix socket.
    var address: String

    /// The port that the request came to, as far as it is known.
    let port: Int?

    /// The connection that the request came by.
    let connection: ObjectIdentifier

    /// The most bytes of a form.
    ///
    /// They are held in memory. Files are not read as forms.
    var maxUploadSize: Int { 64 << 10 }

    /// Who has signed in; `nil` when nobody has.
    var visitor: Visitor?

    /// Whether it has shown the token for the metrics.
    var mayScrape = false

    init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        address = source.channel.remoteAddress?.ipAddress ?? "local"
        port = source.channel.localAddress?.port
        connection = ObjectIdentifier(source.channel)
    }
}

/// Somebody who has signed in.
struct Visitor: Sendable, Equatable {
    /// The name.
    var name: String

    /// The session of a browser; `nil` for a program, which shows its token with each request.
    var session: SessionCookie.Session?
}
