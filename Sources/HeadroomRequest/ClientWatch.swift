import Glibc
import NIOCore

/// Notices that the client of a channel goes away, and tells the request that is being answered.
///
/// A client that has closed its sending side counts as gone, as it does for nginx and for Go's server: nothing on the wire
/// tells it from one that has closed both.
final class ClientWatch: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private weak var request: RequestDatabase?
    private var isGone = false

    /// Watches the client for a request; the last one that asked is the one that is being answered.
    static func watch(_ channel: any Channel, for request: RequestDatabase) {
        channel.eventLoop.execute {
            guard channel.isActive else { return request.leave(.clientLeft) }
            let pipeline = channel.pipeline.syncOperations
            if let known = try? pipeline.handler(type: ClientWatch.self) {
                known.request = request
                if known.isGone { request.leave(.clientLeft) }
                return
            }
            let watch = ClientWatch()
            watch.request = request
            // First, before a handler that could keep the event to itself.
            try? pipeline.addHandler(watch, position: .first)
            if hasHungUp(pipeline) { watch.clientLeft() }
        }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if case ChannelEvent.inputClosed? = event as? ChannelEvent { clientLeft() }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        clientLeft()
        context.fireChannelInactive()
    }

    private func clientLeft() {
        isGone = true
        request?.leave(.clientLeft)
    }

    /// Whether the client has hung up before there was a watch: the event has passed, but the socket still says so.
    private static func hasHungUp(_ pipeline: ChannelPipeline.SynchronousOperations) -> Bool {
        let hungUp = try? pipeline.withUnsafeTransportIfAvailable(of: CInt.self) { descriptor in
            var byte: UInt8 = 0
            return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) == 0
        }
        return hungUp ?? false
    }
}
