import ArgumentParser
import Headroom
import HeadroomWatch

/// What `headroom verify --full` starts its own program for.
enum VerifyChild {
    /// Holds a slot and a connection until it is killed; ends by itself when its parent is no more.
    static func holdSlot(_ settings: DatabaseSettings) async throws {
        var settings = settings
        settings.waitTimeout = min(settings.waitTimeout, .seconds(5))
        try await Database(settings)
            .withConnection(label: "verify: to be killed") { _ in try await Task.sleep(for: .seconds(30)) }
    }

    /// Takes a lock and lets it go, or exits with the status that says that somebody has it.
    static func tryLock(_ name: String, _ settings: DatabaseSettings) async throws {
        do {
            _ = try await HostLock.acquire(
                name,
                stateFolder: settings.stateFolder,
                program: settings.programName,
                timeout: .zero
            )
        } catch let error as DatabaseError where error.code == .lockTaken {
            throw ExitCode(Verify.isTaken)
        }
    }
}
