/// An open client with its slot: what a scope's ``Connection`` uses, and what is kept between scopes.
///
/// Not Sendable: one task at a time uses it.
final class Wire {
    let client: Client
    let slot: Slot?
    var limits: SessionLimits

    /// When it is not kept any longer.
    let livesUntil: ContinuousClock.Instant

    init(_ client: Client, slot: Slot?, limits: SessionLimits, livesUntil: ContinuousClock.Instant) {
        self.client = client
        self.slot = slot
        self.limits = limits
        self.livesUntil = livesUntil
    }

    /// Whether the server has neither hung up nor said anything unasked: costs no round trip.
    var isQuiet: Bool { client.socket?.isQuiet ?? false }

    /// Closes the connection, waits until the server has let the session go, and gives the slot back.
    func close(_ core: DatabaseCore) async {
        client.free()
        guard let socket = client.socket else { return }
        if await socket.serverHungUp(until: .now + core.settings.closeTimeout) {
            let isPassedOn = slot?.giveBack() ?? false
            // On the one thread that they share, whoever has a slot goes before who had it: a slot is what is scarce.
            if isPassedOn, Waiting.shared.isOnThread { await Task.yield() }
        } else {
            core.draining.watch(socket, slot)
        }
    }
}

/// A wire on its way into the keep and out of it.
///
/// `@unchecked Sendable`: whoever puts it in lets go of it, and one task takes it out.
struct KeptWire: @unchecked Sendable {
    let wire: Wire
}
