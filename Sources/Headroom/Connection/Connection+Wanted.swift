extension Connection {
    /// Whether anybody of this host waits for a slot of the account: whoever can do without this connection should close it.
    package var isWanted: Bool { slot?.admission.isWanted ?? false }
}
