/// Says whether connections are kept open between scopes.
public struct Reuse: Sendable, Hashable {
    /// How long a kept connection may be idle; `nil` keeps none.
    var idle: Duration?

    /// How long a connection is kept at most, counted from its opening.
    var lifetime: Duration = .zero

    /// How long one connection is kept: a little less for each at random, so that those opened together do not end together.
    func lifetimeOfOne() -> Duration {
        // Chance is a system call.
        idle == nil ? .zero : lifetime - lifetime * Double.random(in: 0...0.1)
    }

    /// Opens a connection for each scope and closes it at its end: the default.
    public static let never = Reuse(idle: nil)

    /// Keeps connections open between scopes, inside the same budget.
    ///
    /// The one used last is used first. An idle one is given up at once when any process of this host waits for a slot. A
    /// connection comes back as a new one would be: transaction, variables, locks and temporary tables of the scope before
    /// are gone.
    ///
    /// - Parameters:
    ///   - idle: How long a kept connection may be idle; 30 s by default. Keep it below the server's `wait_timeout`.
    ///   - lifetime: How long a connection is used at most, counted from its opening; 5 minutes by default. Up to a tenth
    ///     is taken off at random, so that connections opened together do not end together.
    /// - Returns: The setting.
    public static func keep(idle: Duration = .seconds(30), lifetime: Duration = .seconds(300)) -> Reuse {
        Reuse(idle: max(idle, .milliseconds(1)), lifetime: max(lifetime, .milliseconds(1)))
    }
}
