/// A connection that was opened for a scope, until the scope ends.
///
/// Not Sendable: one task at a time uses its connection. See ``Database/beginScope(until:waiting:holding:label:file:line:atDeadline:)``.
package struct OpenScope {
    /// The scope's connection.
    package let connection: Connection

    let beganAt: ContinuousClock.Instant
    let watch: HoldWatch?
}
