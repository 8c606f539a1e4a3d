import CLibrary
import Headroom

/// Watches the sockets of the process's doors, on the event loop's one thread and for that alone.
///
/// They stand in the loop's own queue, but what is to be done for an event is found without a lock.
///
/// `@unchecked Sendable`: everything of it is used on the event loop's thread only.
final class SocketPoll: @unchecked Sendable {
    /// The one of the process, as the loop is.
    static let shared = SocketPoll()

    typealias Handler = (UInt32) -> Void

    private let loop = EventLoop.shared
    private var handlers: [(generation: UInt32, handler: Handler)?] = []
    private var generation: UInt32 = 0

    /// Room for what is read, which nothing keeps beyond one event.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    static let input = UInt32(bitPattern: Int32(POLLIN))
    static let output = UInt32(bitPattern: Int32(POLLOUT))
    /// The other side sends no more; told beside errors, which always are.
    static let left: UInt32 = 0x2000
    static let failed: UInt32 = 0x18

    private init() {
        loop.handleSockets { [unowned self] identifier, events in
            // An earlier event of the same batch may have closed it, and another have its number by now.
            let descriptor = Int(identifier & 0xFFFF_FFFF)
            guard handlers.indices.contains(descriptor), let entry = handlers[descriptor],
                UInt64(entry.generation) == identifier >> 32
            else { return }
            entry.handler(events)
        }
    }

    /// Has the handler run whenever one of the events is there.
    func add(_ descriptor: Int32, _ events: UInt32, _ handler: @escaping Handler) {
        generation = (generation &+ 1) & 0x3FFF_FFFF
        let index = Int(descriptor)
        while handlers.count <= index { handlers.append(nil) }
        handlers[index] = (generation, handler)
        loop.watchSocket(descriptor, events: events, as: identifier(descriptor, generation))
    }

    /// Changes the events.
    func change(_ descriptor: Int32, _ events: UInt32) {
        guard let entry = handlers[Int(descriptor)] else { return }
        loop.changeSocket(descriptor, events: events, as: identifier(descriptor, entry.generation))
    }

    /// Watches the descriptor no more; must come before it is closed.
    func remove(_ descriptor: Int32) {
        guard handlers.indices.contains(Int(descriptor)), handlers[Int(descriptor)] != nil else { return }
        handlers[Int(descriptor)] = nil
        loop.forgetSocket(descriptor)
    }

    private func identifier(_ descriptor: Int32, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }
}
