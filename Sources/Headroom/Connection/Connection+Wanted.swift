extension Connection {
    /// Whether anybody of this host waits for a slot of the account: whoever can do without this connection should close it.
    package var isWanted: Bool { wire.slot?.admission.isWanted ?? false }
}
