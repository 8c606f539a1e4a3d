import Glibc
import HeadroomSandbox

/// A small network of its own for tests of several hosts: a network namespace for each, joined by a switch that can be parted.
///
/// What runs in one of its hosts has the files of this machine, a loopback of its own, and reaches the other hosts at their
/// private addresses and nothing else: the switch stands in a namespace too. A host that is parted from others hears nothing
/// of them and is told nothing, unlike one that is stopped. It takes root and `ip` (Debian's iproute2).
public final class HostNetwork: Sendable {
    private let prefix: String
    private let count: Int

    /// The names of the namespaces begin with it, then comes the id of the process that made them.
    private static let mark = "headroom-"

    /// Why there can be no network here; `nil` when there can.
    ///
    /// - Returns: The reason.
    public static func obstacle() async -> String? {
        if geteuid() != 0 { return "namespaces of the network take root" }
        if Files.program("ip") == nil { return "ip is not installed (apt-get install iproute2)" }
        do {
            try await with(hosts: 1) { _ in }
            return nil
        } catch {
            return "the kernel or its container does not allow namespaces of the network"
        }
    }

    /// Runs the body with a network, which is removed before it returns.
    ///
    /// - Parameters:
    ///   - count: How many hosts, up to 200.
    ///   - body: What to do with it; its programs in the hosts must have ended when it returns.
    /// - Returns: What the body returns.
    /// - Throws: ``SandboxError``, or what the body throws.
    public static func with<Result: Sendable>(
        hosts count: Int,
        _ body: @Sendable (HostNetwork) async throws -> Result
    ) async throws -> Result {
        await removeAbandoned()
        let network = HostNetwork(count)
        do {
            try await network.make()
            let result = try await body(network)
            await network.remove()
            return result
        } catch {
            await network.remove()
            throw error
        }
    }

    private init(_ count: Int) {
        self.count = count
        // Two networks of one process have different names.
        let letters = Array("abcdefghijkmnpqrstuvwxyz")
        prefix = "\(Self.mark)\(getpid())-" + String((0..<4).map { _ in letters.randomElement() ?? "x" })
    }

    /// A host's address.
    ///
    /// - Parameter host: Which, from 0.
    /// - Returns: The address.
    public func address(_ host: Int) -> String { "10.203.77.\(host + 1)" }

    /// The command, to be put in front of another, that runs it in a host; the process keeps its id.
    ///
    /// - Parameter host: Which, from 0.
    /// - Returns: The command.
    public func command(_ host: Int) -> [String] { [Self.ip, "netns", "exec", space(host)] }

    /// Parts some hosts from all others, in both directions: they reach each other, and nobody else.
    ///
    /// - Parameter hosts: Which.
    /// - Throws: ``SandboxError`` when it cannot be done.
    public func part(_ hosts: [Int]) async throws {
        for host in hosts { try await run("-n", hub, "link", "set", port(host), "master", "apart") }
    }

    /// Joins all hosts again.
    ///
    /// - Throws: ``SandboxError`` when it cannot be done.
    public func join() async throws {
        for host in 0..<count { try await run("-n", hub, "link", "set", port(host), "master", "switch") }
    }

    private var hub: String { "\(prefix)-hub" }
    private func space(_ host: Int) -> String { "\(prefix)-\(host)" }
    private func port(_ host: Int) -> String { "port\(host)" }
    private static var ip: String { Files.program("ip") ?? "/usr/sbin/ip" }

    private func make() async throws {
        try await run("netns", "add", hub)
        for bridge in ["switch", "apart"] {
            try await run("-n", hub, "link", "add", bridge, "type", "bridge")
            try await run("-n", hub, "link", "set", bridge, "up")
        }
        for host in 0..<count {
            let space = space(host)
            try await run("netns", "add", space)
            try await run(
                "link",
                "add",
                "name",
                port(host),
                "netns",
                hub,
                "type",
                "veth",
                "peer",
                "name",
                "eth0",
                "netns",
                space
            )
            try await run("-n", hub, "link", "set", port(host), "master", "switch", "up")
            try await run("-n", space, "addr", "add", "\(address(host))/24", "dev", "eth0")
            for device in ["lo", "eth0"] { try await run("-n", space, "link", "set", device, "up") }
        }
    }

    private func remove() async {
        // Not as part of a task that was cancelled: they would stay.
        let spaces = [hub] + (0..<count).map(space)
        await Task { for space in spaces { await Self.remove(space) } }.value
    }

    private static func remove(_ space: String) async {
        _ = try? await Program.run(ip, ["netns", "delete", space], doing: "removing a namespace")
    }

    /// Removes what processes have left that were killed.
    private static func removeAbandoned() async {
        guard let list = try? await Program.run(ip, ["netns", "list"], doing: "listing the namespaces") else { return }
        for line in list.split(separator: "\n") {
            guard let name = line.split(separator: " ").first, name.hasPrefix(mark),
                let process = pid_t(name.dropFirst(mark.count).prefix { $0 != "-" }), kill(process, 0) != 0,
                errno == ESRCH
            else { continue }
            await remove(String(name))
        }
    }

    private func run(_ arguments: String...) async throws {
        try await Program.run(Self.ip, arguments, doing: "making a network of hosts")
    }
}
