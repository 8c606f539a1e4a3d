import Logging
import NIOCore
import NIOHTTPTypes
import NIOHTTPTypesHTTP1
import Synchronization

/// All connections to the dashboard.
final class Connections: Sendable {
    private struct State {
        var table: ConnectionTable<ObjectIdentifier>
        var closers: [ObjectIdentifier: @Sendable () -> Void] = [:]
        var lastNote: NIODeadline?
    }

    private let state: Mutex<State>
    private let hasPeers: Bool
    private let most: Int
    private let logger: Logger

    init(_ options: WebOptions, logger: Logger) {
        most = options.mostConnections
        // Behind a proxy all come from its address, and on loopback all from this host's.
        hasPeers = !options.place.isLoopback && !options.isBehindProxy
        state = Mutex(State(table: ConnectionTable(most: most)))
        self.logger = logger
    }

    /// The handler of a new connection.
    func handler() -> ConnectionHandler { ConnectionHandler(self) }

    var count: Int { state.withLock { $0.table.count } }

    /// Takes a connection in, and closes another or itself when there are too many.
    fileprivate func open(_ channel: any Channel, close: @escaping @Sendable () -> Void) {
        let id = ObjectIdentifier(channel)
        let peer = hasPeers ? channel.remoteAddress?.ipAddress.map(AddressRange.of) : nil
        let (toClose, isNoted) = state.withLock { state -> ((@Sendable () -> Void)?, Bool) in
            let admission = state.table.open(id, from: peer)
            if admission != .refused { state.closers[id] = close }
            guard admission != .admitted else { return (nil, false) }
            let now = NIODeadline.now()
            let isNoted = state.lastNote.map { now - $0 > .minutes(1) } ?? true
            if isNoted { state.lastNote = now }
            if case .instead(let other) = admission { return (state.closers.removeValue(forKey: other), isNoted) }
            return (close, isNoted)
        }
        toClose?()
        if isNoted {
            logger.warning(
                "too many connections: those without a request are closed, the oldest first",
                metadata: ["web.connections": "\(count)", "web.most": "\(most)"]
            )
        }
    }

    fileprivate func note(_ channel: any Channel, isIncomplete: Bool) {
        state.withLock { $0.table.note(ObjectIdentifier(channel), isIncomplete: isIncomplete) }
    }

    /// Notes that the connection's client has shown who it is.
    func noteKnown(_ id: ObjectIdentifier) { state.withLock { $0.table.noteKnown(id) } }

    fileprivate func isKnown(_ channel: any Channel) -> Bool {
        state.withLock { $0.table.isKnown(ObjectIdentifier(channel)) }
    }

    fileprivate func close(_ id: ObjectIdentifier) {
        state.withLock { state in
            state.table.close(id)
            state.closers[id] = nil
        }
    }
}

/// Closes a connection whose client takes too long or waits for no answer, reads on no faster than it may ask, and tells
/// ``Connections`` where it stands.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let connections: Connections
    private let transport = TransportHandler()
    private var clock = RequestClock(now: .now())
    private var alarm: (at: NIODeadline, task: Scheduled<Void>)?
    private var nextRead: Scheduled<Void>?

    fileprivate init(_ connections: Connections) {
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let pipeline = context.pipeline.syncOperations
        if let codec = try? pipeline.handler(type: HTTP1ToHTTPServerCodec.self) {
            try? pipeline.addHandler(TargetCheck(), position: .before(codec))
        }
        if context.channel.isActive { begin(context) }
    }

    func channelActive(context: ChannelHandlerContext) {
        begin(context)
        context.fireChannelActive()
    }

    private func begin(_ context: ChannelHandlerContext) {
        let loop = context.eventLoop
        try? context.pipeline.syncOperations.addHandler(transport, position: .first)
        let transport = NIOLoopBound(transport, eventLoop: loop)
        connections.open(context.channel) { loop.execute { transport.value.close() } }
        let id = ObjectIdentifier(context.channel)
        context.channel.closeFuture.whenComplete { [connections] _ in connections.close(id) }
        clock = RequestClock(now: .now())
        setAlarm(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        alarm?.task.cancel()
        alarm = nil
        nextRead?.cancel()
        nextRead = nil
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // What came with it is not served either.
        guard !clock.isFlooding else { return }
        switch unwrapInboundIn(data) {
        case .head: clock.headCame(at: .now())
        case .body(let bytes): clock.bodyCame(bytes.readableBytes)
        case .end: clock.requestEnded(at: .now())
        }
        guard !clock.isFlooding else { return transport.close() }
        changed(context)
        context.fireChannelRead(data)
    }

    func read(context: ChannelHandlerContext) {
        guard nextRead == nil else { return }
        guard clock.strangersNext > .now(), !connections.isKnown(context.channel) else { return context.read() }
        nextRead = context.eventLoop.assumeIsolated()
            .scheduleTask(deadline: clock.strangersNext) { [self] in
                nextRead = nil
                context.read()
            }
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) { clock.answered(at: .now()) }
        context.write(data, promise: promise)
        changed(context)
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        clock.canWrite(context.channel.isWritable, at: .now())
        changed(context)
        context.fireChannelWritabilityChanged()
    }

    private func changed(_ context: ChannelHandlerContext) {
        connections.note(context.channel, isIncomplete: clock.isIncomplete)
        setAlarm(context)
    }

    /// An alarm that is early is set anew when it goes off: most deadlines only move away.
    private func setAlarm(_ context: ChannelHandlerContext) {
        guard let deadline = clock.deadline, alarm.map({ deadline < $0.at }) ?? true, context.channel.isActive else {
            return
        }
        alarm?.task.cancel()
        let task = context.eventLoop.assumeIsolated()
            .scheduleTask(deadline: deadline) { [self] in
                alarm = nil
                guard let deadline = clock.deadline, deadline <= .now() else { return setAlarm(context) }
                transport.close()
            }
        alarm = (deadline, task)
    }
}

/// Closes the transport itself: TLS would wait for the client's goodbye first.
private final class TransportHandler: ChannelInboundHandler {
    typealias InboundIn = NIOAny

    private var context: ChannelHandlerContext?

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func close() { context?.close(promise: nil) }
}
