import CLibrary
import Headroom

/// Watches the door's sockets, on the event loop's one thread and for that alone.
///
/// A set of its own, which the loop watches as one descriptor: what a relay does for each packet then takes no lock and no call of the
/// kernel beyond reading and writing.
///
/// `@unchecked Sendable`: everything of it is used on the event loop's thread only.
final class SocketPoll: @unchecked Sendable {
    typealias Handler = (UInt32) -> Void

    private let epoll: Int32
    private var handlers: [(generation: UInt32, handler: Handler)?] = []
    private var generation: UInt32 = 0

    /// Room for what is read, which nothing keeps beyond one event.
    let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 << 10, alignment: 16)

    static let input = UInt32(bitPattern: Int32(POLLIN))
    static let output = UInt32(bitPattern: Int32(POLLOUT))
    /// The other side sends no more; told beside errors, which always are.
    static let left: UInt32 = 0x2000
    static let failed: UInt32 = 0x18

    /// - Throws: ``DatabaseError`` with `hostExhausted`.
    init() throws(DatabaseError) {
        try EventLoop.start()
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard epoll >= 0 else { throw .hostExhausted("descriptor", error: errno) }
        EventLoop.shared.watch(epoll) { [weak self] in self?.run() }
    }

    deinit {
        close(epoll)
        scratch.deallocate()
    }

    /// Has the handler run whenever one of the events is there.
    func add(_ descriptor: Int32, _ events: UInt32, _ handler: @escaping Handler) {
        generation &+= 1
        let index = Int(descriptor)
        while handlers.count <= index { handlers.append(nil) }
        handlers[index] = (generation, handler)
        _ = kernel_epoll_add(epoll, descriptor, events, identifier(descriptor, generation))
    }

    /// Changes the events.
    func change(_ descriptor: Int32, _ events: UInt32) {
        guard let entry = handlers[Int(descriptor)] else { return }
        _ = kernel_epoll_change(epoll, descriptor, events, identifier(descriptor, entry.generation))
    }

    /// Watches the descriptor no more; must come before it is closed.
    func remove(_ descriptor: Int32) {
        guard handlers.indices.contains(Int(descriptor)), handlers[Int(descriptor)] != nil else { return }
        handlers[Int(descriptor)] = nil
        _ = kernel_epoll_remove(epoll, descriptor)
    }

    private func identifier(_ descriptor: Int32, _ generation: UInt32) -> UInt64 {
        UInt64(generation) << 32 | UInt64(UInt32(bitPattern: descriptor))
    }

    private func run() {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 64) { events in
            let count = epoll_wait(epoll, events.baseAddress, 64, 0)
            for index in 0..<Int(max(0, count)) {
                let identifier = events[index].data.u64
                // An earlier event of the same batch may have closed it, and another have its number by now.
                let descriptor = Int(identifier & 0xFFFF_FFFF)
                guard let entry = handlers[descriptor], UInt64(entry.generation) == identifier >> 32 else { continue }
                entry.handler(events[index].events)
            }
        }
    }
}
