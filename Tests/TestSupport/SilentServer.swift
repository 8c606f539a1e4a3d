import Glibc
package import Headroom

/// A server that lets everybody in, and then says nothing more.
package final class SilentServer: Sendable {
    private let listener: Int32
    private let port: Int

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

    /// Starts it.
    package init() throws {
        (listener, port) = try listen { client in
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
            while read(client, &bytes, 4096) > 0 {}
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }
}
