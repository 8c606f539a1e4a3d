/// Waits until a condition holds, looking every few milliseconds.
///
/// For what another process does in its own time; the limit is only for a test that fails.
///
/// - Returns: Whether it came to hold within the limit.
public func eventually(
    within limit: Duration = .seconds(30),
    _ condition: () async throws -> Bool
) async throws -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return try await condition()
}
