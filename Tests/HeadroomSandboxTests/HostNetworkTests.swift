import Glibc
import TestSupport
import Testing

@testable import HeadroomSandbox

/// The network of hosts that drills cut, where it can be had.
@Suite(.serialized) struct HostNetworkTests {
    private struct Broken: Error {}

    /// Whether a host reaches another: a port without a server refuses at once, and what is cut off says nothing.
    private func reaches(_ network: HostNetwork, _ from: Int, _ to: Int) async throws -> Bool {
        let connect = "echo > /dev/tcp/\(network.address(to))/9"
        let command = network.command(from) + ["/usr/bin/timeout", "4", "/bin/bash", "-c", connect]
        let run = try await HeadroomProgram.run(command[0], Array(command.dropFirst()))
        return run.errors.contains("Connection refused")
    }

    private func spaces() async throws -> String {
        try await HeadroomProgram.run("/usr/bin/env", ["ip", "netns", "list"]).output
    }

    @Test func `hosts that are parted from others reach each other and nobody else, until they are joined`()
        async throws
    {
        if let obstacle = await HostNetwork.obstacle() {
            print("no network of hosts here: \(obstacle)")
            return
        }
        try await HostNetwork.with(hosts: 3) { network in
            #expect(try await reaches(network, 0, 1))
            try await network.part([0, 2])
            #expect(try await !reaches(network, 0, 1))
            #expect(try await !reaches(network, 1, 2))
            #expect(try await reaches(network, 0, 2))
            try await network.join()
            #expect(try await reaches(network, 1, 0))
            #expect(try await reaches(network, 2, 1))
        }
    }

    @Test func `nothing of a network is left, also when what was done with it fails, and when its process was killed`()
        async throws
    {
        guard await HostNetwork.obstacle() == nil else { return }
        await #expect(throws: Broken.self) {
            try await HostNetwork.with(hosts: 2) { network in
                let own = try #require(network.command(0).last?.split(separator: "-").dropLast().joined(separator: "-"))
                #expect(try await spaces().contains(own))
                throw Broken()
            }
        }
        // The highest id a process can have here is below this.
        let dead = "headroom-99999999-left-0"
        _ = try await HeadroomProgram.run("/usr/bin/env", ["ip", "netns", "add", dead])
        #expect(try await spaces().contains(dead))
        try await HostNetwork.with(hosts: 1) { _ in }
        let left = try await spaces()
        #expect(!left.contains(dead) && !left.contains("headroom-\(getpid())-"), "\(left)")
    }
}
