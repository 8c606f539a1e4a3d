import CKernel
import Glibc
import Headroom

/// Tells systemd how a service does (sd_notify(3)); elsewhere it does nothing.
package enum ServiceNotifier {
    /// Sends a state, such as `READY=1`.
    package static func send(_ state: String) {
        guard let path = Variables.value("NOTIFY_SOCKET"), path.begins(with: "/") || path.begins(with: "@") else {
            return
        }
        let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        // Where nobody takes messages out, the next one would wait for ever.
        _ = kernel_limit_wait(socket, SO_SNDTIMEO, 1, 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var name = Array(path.utf8)
        guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
        // An abstract name begins with a zero byte, which systemd writes as @.
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                Array(state.utf8).withUnsafeBytes { sendto(socket, $0.baseAddress, $0.count, 0, address, size) }
            }
        }
    }
}

/// The variables of this program's environment.
package enum Variables {
    /// The variable's value; `nil` when it is not set or empty.
    package static func value(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }
}
