import Glibc
public import HeadroomSandbox

/// A private Galera cluster of MariaDB nodes, on loopback or in a network of hosts, with one account on all of them, for tests
/// of what happens when nodes end, stop or are cut off.
///
/// It needs Debian's `galera-4` and `rsync`, and the scripts that hand one node's data to another, which
/// `scripts/setup-galera` gets. The nodes run as `nobody` where this process is root: that hand-over fails as root.
public actor GaleraCluster {
    /// A node of a cluster.
    public struct Node: Sendable {
        /// Its address.
        public let address: String
        /// The port at its address.
        public let port: Int
        /// The path of its socket, where the administrator `root` comes in with no password.
        public let socket: String

        let folder: SandboxFolder
        let clusterPort: Int
        let stepPort: Int
        let transferPort: Int
    }

    /// The nodes.
    public nonisolated let nodes: [Node]
    private nonisolated let options: SandboxOptions
    private nonisolated let programs: ServerPrograms
    private nonisolated let template: String
    private nonisolated let provider: String
    private nonisolated let scripts: String
    private nonisolated let network: HostNetwork?
    private var keepers: [Int: Keeper] = [:]

    /// Why there can be no cluster here; `nil` when there can.
    ///
    /// - Parameter scripts: The folder with the hand-over's scripts.
    /// - Returns: The reason.
    public static func obstacle(scripts: String) -> String? {
        if provider == nil { return "galera-4 is not installed (apt-get install galera-4)" }
        if Files.program("rsync") == nil { return "rsync is not installed (apt-get install rsync)" }
        if !Files.exists("\(scripts)/wsrep_sst_rsync") {
            return "there is no \(scripts)/wsrep_sst_rsync (scripts/setup-galera)"
        }
        return nil
    }

    private static var provider: String? {
        ["/usr/lib/galera/libgalera_smm.so", "/usr/lib64/galera-4/libgalera_smm.so"].first(where: Files.exists)
    }

    /// Runs the body with a cluster, which is stopped and removed before it returns.
    ///
    /// - Parameters:
    ///   - options: What the account is like; its limit holds on each node.
    ///   - count: How many nodes.
    ///   - scripts: The folder with the hand-over's scripts.
    ///   - network: The network in whose first hosts the nodes run, one in each; on loopback by default.
    ///   - body: What to do with it.
    /// - Returns: What the body returns.
    /// - Throws: ``SandboxError``, or what the body throws.
    public static func with<Result: Sendable>(
        _ options: SandboxOptions,
        nodes count: Int = 3,
        scripts: String,
        network: HostNetwork? = nil,
        _ body: @Sendable (GaleraCluster) async throws -> Result
    ) async throws -> Result {
        let cluster = try await GaleraCluster(options, count, scripts, network)
        do {
            for node in 0..<count { try await cluster.start(node) }
            let result = try await body(cluster)
            await cluster.stop()
            return result
        } catch {
            await cluster.stop()
            throw error
        }
    }

    private init(_ options: SandboxOptions, _ count: Int, _ scripts: String, _ network: HostNetwork?) async throws {
        guard let provider = Self.provider, Self.obstacle(scripts: scripts) == nil else {
            throw SandboxError(.serverMissing, Self.obstacle(scripts: scripts) ?? "")
        }
        self.provider = provider
        self.scripts = Files.absolute(scripts)
        self.options = options
        self.network = network
        programs = try ServerPrograms.mariaDB()
        template = try await Template(programs).made()
        var ports: Set<Int> = []
        while ports.count < count * 4 { ports.insert(try Readiness.freePort()) }
        let list = Array(ports)
        nodes = (0..<count)
            .map { index in
                let folder = SandboxFolder.temporary()
                return Node(
                    address: network?.address(index) ?? "127.0.0.1",
                    port: list[index * 4],
                    socket: folder.socket,
                    folder: folder,
                    clusterPort: list[index * 4 + 1],
                    stepPort: list[index * 4 + 2],
                    transferPort: list[index * 4 + 3]
                )
            }
    }

    /// The settings that lead to the account on all nodes.
    public nonisolated var environment: [String: String] {
        [
            "DB_HOST": nodes.map { "\($0.address):\($0.port)" }.joined(separator: ","),
            "DB_DATABASE": options.database, "DB_USERNAME": options.username, "DB_PASSWORD": options.password,
        ]
    }

    /// Starts a node, the first time or again; returns when it takes statements.
    ///
    /// - Parameter index: Which.
    /// - Throws: ``SandboxError`` when it does not within two minutes.
    public func start(_ index: Int) async throws {
        let node = nodes[index]
        let isFirst = keepers.isEmpty
        let isNew = !Files.exists(node.folder.data)
        if !isNew { try Files.write("", to: node.folder.keepMark) }
        keepers[index]?.letGo()
        await keepers[index]?.ended()
        for path in [node.socket, node.folder.processFile, node.folder.endedMark] { unlink(path) }
        let keeper = try await Keeper(
            folder: node.folder,
            template: template,
            command: command(index, isFirst: isFirst)
        )
        keepers[index] = keeper
        unlink(node.folder.keepMark)
        if isNew {
            try Files.makeFolders(node.folder.temporary)
            try Files.write(isFirst ? options.initialisation(programs) : "", to: node.folder.initialisation)
            try await Program.run(
                "/bin/cp",
                ["-a", "--", template, node.folder.data],
                doing: "copying the data folder"
            )
        }
        if geteuid() == 0 {
            try await Program.run(
                "/bin/chown",
                ["-R", "nobody", "--", node.folder.path],
                doing: "giving the node its folder"
            )
        }
        keeper.startServer()
        let deadline = ContinuousClock.now + .seconds(120)
        while ContinuousClock.now < deadline, !Files.exists(node.folder.endedMark) {
            if await isSynced(index) { return }
            try await Task.sleep(for: .milliseconds(200))
        }
        throw SandboxError(.startFailed, "Node \(index) of the cluster is not ready. \(node.folder.logTail)")
    }

    /// Whether a node takes statements.
    public nonisolated func isSynced(_ index: Int) async -> Bool {
        guard let client = Files.program("mariadb") else { return false }
        let output = try? await Program.run(
            client,
            [
                "--no-defaults", "--socket=\(nodes[index].socket)", "--user=root", "--batch", "--skip-column-names",
                "--connect-timeout=2", "--execute=SHOW STATUS LIKE 'wsrep_local_state_comment'",
            ],
            doing: "asking a node"
        )
        return output?.contains("Synced") ?? false
    }

    /// Whether a node has ended and was not started again: one that comes back at a bad moment may abort itself.
    ///
    /// - Parameter index: Which node.
    /// - Returns: Whether it has.
    public nonisolated func hasEnded(_ index: Int) -> Bool { Files.exists(nodes[index].folder.endedMark) }

    /// Sends a signal to a node: SIGKILL ends it, SIGSTOP cuts it off (to the others it is gone), SIGCONT brings it back.
    ///
    /// - Parameters:
    ///   - number: The signal.
    ///   - index: Which node.
    /// - Returns: Whether it was running.
    @discardableResult
    public nonisolated func signal(_ number: Int32, _ index: Int) -> Bool {
        guard let process = nodes[index].folder.runningServer else { return false }
        return kill(process, number) == 0
    }

    /// Stops all nodes, and waits until they and their folders are gone.
    public func stop() async {
        for index in nodes.indices { signal(SIGCONT, index) }
        for (index, keeper) in keepers {
            unlink(nodes[index].folder.keepMark)
            signal(SIGKILL, index)
            keeper.letGo()
        }
        for keeper in keepers.values { await keeper.ended() }
        keepers = [:]
    }

    private func command(_ index: Int, isFirst: Bool) -> [String] {
        let node = nodes[index]
        let others = nodes.map { "\($0.address):\($0.clusterPort)" }.joined(separator: ",")
        // A node that does not answer is given up after 2 s, not 5: tests wait for it.
        let provided = [
            "gmcast.listen_addr=tcp://\(node.address):\(node.clusterPort)",
            "ist.recv_addr=\(node.address):\(node.stepPort)",
            "evs.keepalive_period=PT0.5S", "evs.suspect_timeout=PT2S", "evs.inactive_timeout=PT4S", "gcache.size=256M",
            "pc.recovery=true",
        ]
        // Each commit is on the node's disk before it is acknowledged: the server's default, and what docs/hosts.md asks for. It
        // is not what a drill once lost readings by: 50 kills of nodes with 0 and 26 with 1 lost nothing that was acknowledged,
        // as the donor of a state transfer flushes its log before its files are copied.
        let flush = "--innodb-flush-log-at-trx-commit=1"
        let user = geteuid() == 0 ? ["/usr/bin/setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"] : []
        return (network?.command(index) ?? []) + user + [
            "/usr/bin/env", "PATH=\(scripts):/usr/sbin:/usr/bin:/sbin:/bin",
        ]
            + programs.server.filter { $0 != "--user=root" } + programs.arguments + [
                "--datadir=\(node.folder.data)", "--socket=\(node.socket)", "--pid-file=\(node.folder.processFile)",
                "--log-error=\(node.folder.errorLog)", "--tmpdir=\(node.folder.temporary)",
                "--init-file=\(node.folder.initialisation)", "--bind-address=\(node.address)", "--port=\(node.port)",
                "--skip-name-resolve", "--binlog-format=ROW", "--innodb-autoinc-lock-mode=2",
                "--innodb-buffer-pool-size=96M", flush, "--wsrep-on=ON",
                "--wsrep-provider=\(provider)", "--wsrep-cluster-name=headroom",
                "--wsrep-cluster-address=gcomm://\(others)", "--wsrep-node-address=\(node.address):\(node.clusterPort)",
                "--wsrep-node-incoming-address=\(node.address):\(node.port)", "--wsrep-sst-method=rsync",
                "--wsrep-sst-receive-address=\(node.address):\(node.transferPort)",
                "--wsrep-provider-options=\(provided.joined(separator: ";"))",
            ] + (isFirst ? ["--wsrep-new-cluster"] : [])
    }
}
