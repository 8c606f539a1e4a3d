/// Describes why a private server could not be had.
public struct SandboxError: Error, Sendable, Hashable, CustomStringConvertible {
    /// What kind of failure it is.
    public var code: Code

    /// What happened, why, and what to do next.
    public var description: String

    /// A kind of failure; kinds may be added.
    public struct Code: Hashable, Sendable {
        private var name: String

        /// The server's programs are not installed.
        public static let serverMissing = Code(name: "serverMissing")
        /// The data folder could not be prepared.
        public static let setupFailed = Code(name: "setupFailed")
        /// The server ended while it started.
        public static let startFailed = Code(name: "startFailed")
        /// The server did not answer in time.
        public static let notReady = Code(name: "notReady")
        /// The folder is not a sandbox's, or cannot be used.
        public static let badDirectory = Code(name: "badDirectory")
        /// There is no running server to stop, or there is one already.
        public static let wrongState = Code(name: "wrongState")
    }

    package init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
