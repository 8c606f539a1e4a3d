import Glibc
package import Headroom
import Synchronization

/// A server that lets everybody in, and then says nothing more.
package final class SilentServer: Sendable {
    private let listener: Int32
    private let port: Int
    private let count: Count

    private final class Count: Sendable {
        let value = Atomic(0)
    }

    /// How many connections it has had.
    package var connections: Int { count.value.load(ordering: .relaxed) }

    /// Settings that lead to it, and wait a moment for an answer.
    package var settings: DatabaseSettings {
        var settings = DatabaseSettings(
            endpoint: .tcp(host: "127.0.0.1", port: port),
            username: "app",
            password: "p",
            closeTimeout: .milliseconds(100),
            tls: TLS(mode: .disabled)
        )
        settings.answerTimeout = .milliseconds(200)
        return settings
    }

    /// Starts it; one that trickles sends a byte now and then, for 10 seconds, whatever the client does.
    package init(isTrickling: Bool = false) throws {
        let count = Count()
        self.count = count
        (listener, port) = try listen { client in
            count.value.add(1, ordering: .relaxed)
            let method = Array("mysql_native_password".utf8) + [0]
            var greeting: [UInt8] = [10] + Array("8.4.0".utf8) + [0, 1, 0, 0, 0]
            greeting += [UInt8](repeating: 0x41, count: 8) + [0, 0x09, 0xA2, 45, 2, 0, 0x28, 0, 21]
            greeting += [UInt8](repeating: 0, count: 10) + [UInt8](repeating: 0x41, count: 12) + [0] + method
            let packets = [[UInt8(greeting.count), 0, 0, 0] + greeting, [7, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0]]
            var bytes = [UInt8](repeating: 0, count: 4096)
            for packet in packets {
                guard send(client, packet, packet.count, Int32(MSG_NOSIGNAL)) > 0, read(client, &bytes, 4096) > 0
                else { return }
            }
            for _ in 0..<500 where isTrickling {
                guard send(client, [1], 1, Int32(MSG_NOSIGNAL)) > 0 else { return }
                usleep(20_000)
            }
            while read(client, &bytes, 4096) > 0 {}
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
