import Glibc
import TestSupport

@testable import Headroom

/// A connection to a TCP port of this machine; -1 when there is none.
private func dial(_ port: Int) -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    if isConnected { return descriptor }
    close(descriptor)
    return -1
}

/// Bytes that threads add to.
final class Recording: Sendable {
    private let bytes = Locked<[UInt8]>([])

    var all: [UInt8] { bytes.withLock { $0 } }

    func add(_ new: some Sequence<UInt8> & Sendable) { bytes.withLock { $0.append(contentsOf: new) } }
}

/// Passes connections on to a server, and keeps what the clients send; may answer some of it in the server's place.
final class Relay: Sendable {
    let port: Int
    private let listener: Int32
    private let recording: Recording

    /// All that clients have sent so far.
    var sent: [UInt8] { recording.all }

    /// - Parameters:
    ///   - server: The port to pass connections on to.
    ///   - masksTLS: Whether it takes the offer of encryption out of the server's greeting.
    ///   - answer: What the client gets instead of the server's reply to these bytes; `nil` passes them on.
    /// - Throws: When there is no port.
    init(to server: Int, masksTLS: Bool = false, answer: @escaping @Sendable ([UInt8]) -> [UInt8]? = { _ in nil })
        throws
    {
        let recording = Recording()
        self.recording = recording
        (listener, port) = try listen { client in
            let upstream = dial(server)
            defer { close(upstream) }
            guard upstream >= 0 else { return }
            var ends = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
            ]
            var buffer = [UInt8](repeating: 0, count: 16_384)
            var isGreeting = masksTLS
            while poll(&ends, 2, -1) > 0 {
                for (index, end) in ends.enumerated() where end.revents != 0 {
                    let count = read(end.fd, &buffer, buffer.count)
                    guard count > 0 else { return }
                    if index == 0 {
                        recording.add(buffer[..<count])
                        if let reply = answer(Array(buffer[..<count])) {
                            guard write(client, reply, reply.count) == reply.count else { return }
                            continue
                        }
                    }
                    if index == 1, isGreeting {
                        isGreeting = false
                        // The version ends with a zero; the offer is in the second byte of what the server can do.
                        let end = 5 + (buffer[5...].firstIndex(of: 0).map { $0 - 5 } ?? 0)
                        buffer[end + 15] &= ~0x08
                    }
                    guard write(ends[1 - index].fd, buffer, count) == count else { return }
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

/// Passes connections on to a server, and holds its hanging up back from the client for a while.
///
/// What returns before the server has let go returns while a connection is ``open`` here: not now and then, but each time.
final class SlowHangUp: Sendable {
    let port: Int
    private let listener: Int32
    private let count: Count

    private final class Count: Sendable {
        let value = Locked(0)
    }

    /// The connections whose clients have not seen the server hang up.
    var open: Int { count.value.withLock(\.self) }

    /// - Parameters:
    ///   - server: The port to pass connections on to.
    ///   - milliseconds: For how long a hang-up is held back.
    ///   - answer: What the client gets instead of the server's reply to these bytes; `nil` passes them on.
    /// - Throws: When there is no port.
    init(
        to server: Int,
        milliseconds: UInt32 = 100,
        answer: @escaping @Sendable ([UInt8]) -> [UInt8]? = { _ in nil }
    ) throws {
        let count = Count()
        self.count = count
        (listener, port) = try listen { client in
            count.value.withLock { $0 += 1 }
            defer { count.value.withLock { $0 -= 1 } }
            let upstream = dial(server)
            defer { close(upstream) }
            guard upstream >= 0 else { return }
            var ends = [
                pollfd(fd: client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: upstream, events: Int16(POLLIN), revents: 0),
            ]
            var buffer = [UInt8](repeating: 0, count: 16_384)
            var isOwed = false
            while poll(&ends, 2, -1) > 0 {
                if ends[0].revents != 0 {
                    let size = read(client, &buffer, buffer.count)
                    if size > 0 {
                        for packet in Self.packets(buffer[..<size]) {
                            guard let reply = answer(packet) else {
                                _ = write(upstream, packet, packet.count)
                                isOwed = true
                                continue
                            }
                            // The server's replies to what was sent before come first.
                            if isOwed {
                                let count = read(upstream, &buffer, buffer.count)
                                _ = send(client, buffer, max(0, count), Int32(MSG_NOSIGNAL))
                                isOwed = false
                            }
                            _ = send(client, reply, reply.count, Int32(MSG_NOSIGNAL))
                        }
                    } else {
                        shutdown(upstream, Int32(SHUT_WR))
                        ends[0].fd = -1
                    }
                    // What the server has sent may have been read above: asked anew.
                    continue
                }
                if ends[1].revents != 0 {
                    let size = read(upstream, &buffer, buffer.count)
                    isOwed = false
                    if size > 0, send(client, buffer, size, Int32(MSG_NOSIGNAL)) == size { continue }
                    usleep(milliseconds * 1_000)
                    return
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}

extension SlowHangUp {
    /// The packets of what a client has sent at once; what is none of them stays in one piece.
    fileprivate static func packets(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
        var packets: [[UInt8]] = []
        var rest = bytes
        while rest.count > 4 {
            let head = Array(rest.prefix(3)).map(Int.init)
            let size = 4 + head[0] + (head[1] << 8) + (head[2] << 16)
            guard size <= rest.count else { break }
            packets.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        return rest.isEmpty ? packets : [Array(bytes)]
    }
}

/// Greets like a server, asks for the bare password, and keeps what it is sent.
final class Impostor: Sendable {
    let port: Int
    private let listener: Int32
    private let recording: Recording

    /// All that clients have sent so far.
    var received: [UInt8] { recording.all }

    init(offersTLS: Bool = false) throws {
        let recording = Recording()
        self.recording = recording
        (listener, port) = try listen { client in
            let greeting = Self.greeting(offersTLS: offersTLS)
            var packet = [UInt8(greeting.count), 0, 0, 0] + greeting
            var buffer = [UInt8](repeating: 0, count: 4096)
            guard write(client, packet, packet.count) == packet.count else { return }
            while case let count = read(client, &buffer, buffer.count), count > 0 {
                recording.add(buffer[..<count])
                // In a handshake for TLS it says nothing more; to a login it asks for the password once again.
                guard !offersTLS else { continue }
                let change = [0xFE] + Array("mysql_clear_password".utf8) + [0]
                packet = [UInt8(change.count), 0, 0, buffer[3] &+ 1] + change
                guard write(client, packet, packet.count) == packet.count else { return }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func greeting(offersTLS: Bool) -> [UInt8] {
        let scramble = [UInt8](repeating: 0x41, count: 12)
        var greeting: [UInt8] = [10] + Array("5.7.0".utf8) + [0, 1, 0, 0, 0]
        greeting += scramble.prefix(8) + [0]
        // Capabilities: protocol 4.1, transactions, secure connection, long password, and TLS; then plug-ins.
        greeting += [0x01, 0xA2 | (offersTLS ? 0x08 : 0), 45, 2, 0, 0x08, 0x00, 21]
        greeting += [UInt8](repeating: 0, count: 10) + scramble + [0]
        // Only who speaks plain text is asked for the password in the very greeting.
        return greeting + Array((offersTLS ? "mysql_native_password" : "mysql_clear_password").utf8) + [0]
    }
}
