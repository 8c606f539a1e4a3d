import Glibc

/// What `scripts/test --cluster` asks for; without it the drills of several hosts and nodes are left out.
enum ClusterRun {
    /// Whether they are to run.
    static let isWanted = getenv("HEADROOM_TEST_CLUSTER") != nil

    /// For how long each goes on: `--minutes`, 1 by default.
    static let duration: Duration = .seconds(
        60 * (getenv("HEADROOM_TEST_MINUTES").flatMap { Double(String(cString: $0)) } ?? 1)
    )

    /// The folder with the scripts by which one node of a cluster hands its data to another.
    static let scripts = getenv("HEADROOM_TEST_GALERA").map { String(cString: $0) } ?? ".build/galera"
}
