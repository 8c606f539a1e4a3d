/// A connection that was opened for a scope, until the scope ends.
///
/// See ``Database/beginScope(until:waiting:holding:label:file:line:atDeadline:)``.
package struct OpenScope: Sendable {
    /// The scope's connection.
    package let connection: Connection

    let beganAt: ContinuousClock.Instant
    let watch: HoldWatch?
}
