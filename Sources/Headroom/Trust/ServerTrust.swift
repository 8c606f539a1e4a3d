/// Decides whether the server of a connection may have the password itself, and remembers it after a login.
struct ServerTrust {
    private let tls: TLS
    /// The unix socket; `nil` over TCP.
    let socket: SocketTrust?

    /// Whether the server is at a unix socket that nobody else can have put there.
    let isLocal: Bool

    private let settings: DatabaseSettings

    /// Whether the connection only looks at what keys the server shows: no server gets anything then.
    let onlyLooks: Bool

    init(_ settings: DatabaseSettings, onlyLooks: Bool = false) {
        tls = settings.tls
        if case .socket(let path) = settings.endpoint { socket = SocketTrust(path) } else { socket = nil }
        isLocal = socket.map { $0.stranger == nil } ?? false
        self.settings = settings
        self.onlyLooks = onlyLooks
    }

    // Worked out where they are needed: on a unix socket never, and looking for the folder costs a connection some time.
    private var user: String { settings.username }
    private var place: String { ServerKeys.place(of: settings.endpoint) }
    private var file: ServerKeyFile { ServerKeyFile(settings.stateFolder) }

    /// Why a server does not get the password.
    enum Refusal {
        /// It shows no key.
        case noKey
        /// Its key is not the pinned one.
        case notPinned(ServerKey)
        /// Others are remembered.
        case changed(ServerKey, [ServerKeys.Entry])
        /// It never asked for the password before.
        case unasked(ServerKey, ServerKeys.Entry)
        /// What is remembered cannot be read.
        case unreadable(DatabaseError)
        /// The connection only looks.
        case onlyLooks
        /// It is at a unix socket that may be anybody's, with the reason.
        case strangersSocket(String)
    }

    /// Says why whoever listens at the unix socket hears nothing; `nil` when it does, and over TCP.
    ///
    /// A socket that anybody can have put there is as good as TCP where the settings have the server's certificate checked.
    ///
    /// - Parameter descriptor: The connection.
    /// - Returns: The reason.
    func refusal(ofListenerAt descriptor: Int32) -> Refusal? {
        let isChecked = tls.mode != .disabled && isVerified(isEncrypted: true)
        guard let socket, isLocal || !isChecked else { return nil }
        let listener = Machine.listener(of: descriptor)
        let stranger = listener.map { socket.seen.stranger(listening: $0) } ?? "who listens there cannot be told"
        return stranger.map { .strangersSocket($0) }
    }

    /// Whether nobody but the right server can be at the other end.
    ///
    /// - Parameter isEncrypted: Whether TLS is in force.
    /// - Returns: Whether it was verified.
    func isVerified(isEncrypted: Bool) -> Bool {
        isLocal || isEncrypted && (!tls.mode.acceptsAnyCertificate || !tls.pins.isEmpty)
    }

    /// Judges a key against the pinned ones.
    func heedsPin(_ key: ServerKey?) -> Bool {
        tls.pins.isEmpty || key.map { tls.pins.contains($0.fingerprint) } ?? false
    }

    /// Says why the server does not get the password; `nil` when it does.
    ///
    /// - Parameters:
    ///   - key: The key that it shows.
    ///   - isEncrypted: Whether TLS is in force.
    /// - Returns: The reason.
    func refusal(of key: ServerKey?, isEncrypted: Bool) -> Refusal? {
        if onlyLooks { return .onlyLooks }
        if isVerified(isEncrypted: isEncrypted) { return nil }
        guard let key else { return .noKey }
        if key.kind == .rsa, let path = tls.serverPublicKey {
            let bytes = try? RegularFile.read(path, atMost: 64 << 10, links: .followed)
            let pinned = bytes.flatMap(PublicKey.init(pem:))?.identity
            return pinned == key ? nil : .notPinned(key)
        }
        do {
            switch try file.read().finding(key, at: place, user: user, mode: tls.mode) {
            case .known, .first: return nil
            case .changed(let entries): return .changed(key, entries)
            case .unasked(let entry): return .unasked(key, entry)
            }
        } catch let error as DatabaseError {
            return .unreadable(error)
        } catch {
            return .noKey
        }
    }

    /// Remembers the server of a login that has succeeded.
    ///
    /// - Parameters:
    ///   - keys: The keys that it has shown.
    ///   - isAskedForMore: Whether it logged in by a method that may ask for the password.
    ///   - isEncrypted: Whether TLS is in force.
    func remember(_ keys: [ServerKey], isAskedForMore: Bool, isEncrypted: Bool) {
        guard !isVerified(isEncrypted: isEncrypted) else { return }
        var facts = keys.map(ServerKeys.Fact.key)
        if facts.isEmpty, !isAskedForMore { facts = [.withoutPassword(user: user)] }
        if !facts.isEmpty { file.remember(facts, of: place) }
    }
}
