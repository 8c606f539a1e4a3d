import Glibc
import TestSupport
import Testing

/// The dashboard as its own process, and who asks it.
final class ServedDashboard {
    let process: HeadroomProcess
    let folder: TemporaryFolder
    let address: String
    let port: UInt16

    /// Starts it without a database, and waits until it listens.
    init(
        _ arguments: [String] = [],
        folder: TemporaryFolder = TemporaryFolder(),
        environment: [String: String] = [:],
        descriptors: Int? = nil
    ) async throws {
        let log = "\(folder.path)/serve.log"
        process = try HeadroomProcess(
            ["serve", "--listen", "127.0.0.1:0"] + arguments,
            environment: [
                "DB_SOCKET": "/nonexistent/mysqld.sock", "DB_USERNAME": "app", "HEADROOM_STATE_DIR": folder.path,
                "PATH": "/usr/bin:/bin", "DB_PASSWORD": "hush",
            ]
            .merging(environment) { $1 },
            output: log,
            through: descriptors.map { ["/bin/sh", "-c", "ulimit -n \($0); exec \"$0\" \"$@\""] } ?? []
        )
        self.folder = folder
        var found: Substring?
        _ = try await eventually {
            found = Self.text(log).firstMatch(of: /at (https?:\/\/127\.0\.0\.1:\d+)\//).map(\.output.1)
            return found != nil
        }
        address = String(try #require(found, "\(Self.text(log))"))
        port = try #require(address.split(separator: ":").last.flatMap { UInt16($0) })
    }

    deinit { process.signal(SIGKILL) }

    var log: String { Self.text("\(folder.path)/serve.log") }

    static func text(_ path: String) -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        let count = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
    }

    /// Asks as a new client, and returns the status; 0 when no answer came within 10 s.
    func status(_ path: String, _ arguments: [String] = []) async throws -> Int {
        let run = try await HeadroomProgram.run(
            "/usr/bin/curl",
            [
                "--silent", "--insecure", "--max-time", "10", "--output", "/dev/null", "--write-out", "%{http_code}",
                "--noproxy", "*",
            ] + arguments + ["\(address)\(path)"]
        )
        return Int(run.output) ?? 0
    }

    /// The files and connections that it has open.
    var descriptors: Int {
        guard let folder = opendir("/proc/\(process.id)/fd") else { return 0 }
        defer { closedir(folder) }
        var count = -2
        while readdir(folder) != nil { count += 1 }
        return count
    }

    /// Its memory, in kB.
    var memory: Int {
        Self.text("/proc/\(process.id)/status").firstMatch(of: /VmRSS:\s*(\d+)/).flatMap { Int($0.output.1) } ?? 0
    }
}

/// Clients that send half a request and no more, or drip the rest.
final class HalfSentRequests {
    private var sockets: [Int32] = []
    private let port: UInt16
    private let beginning: [UInt8]
    private let drop: [UInt8]

    init(_ count: Int, port: UInt16, beginning: [UInt8], drop: [UInt8]) {
        self.port = port
        self.beginning = beginning
        self.drop = drop
        var limit = rlimit()
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        getrlimit(resource, &limit)
        limit.rlim_cur = max(limit.rlim_cur, min(limit.rlim_max, 8192))
        setrlimit(resource, &limit)
        sockets = (0..<count).map { _ in connected() }
    }

    deinit { for socket in sockets { close(socket) } }

    private func connected() -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | O_NONBLOCK, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) { pointer in
            _ = pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        return socket
    }

    /// Has each send what it has not sent yet, or a drop more; who was closed comes again.
    func drip(comingAgain: Bool = true) {
        for index in sockets.indices {
            var byte: UInt8 = 0
            let isClosed = recv(sockets[index], &byte, 1, Int32(MSG_DONTWAIT)) == 0 || errno == ECONNRESET
            if isClosed, comingAgain {
                close(sockets[index])
                sockets[index] = connected()
                waits.insert(index)
            } else if !begun.contains(index) || waits.contains(index) {
                if send(sockets[index], beginning, beginning.count, Int32(MSG_NOSIGNAL)) >= 0 {
                    begun.insert(index)
                    waits.remove(index)
                }
            } else if !drop.isEmpty {
                send(sockets[index], drop, drop.count, Int32(MSG_NOSIGNAL))
            }
        }
    }

    private var begun: Set<Int> = []
    private var waits: Set<Int> = []
}
