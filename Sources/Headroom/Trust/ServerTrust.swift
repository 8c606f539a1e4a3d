/// Decides whether the server of a connection may have the password itself, and remembers it after a login.
struct ServerTrust {
    private let tls: TLS
    /// The unix socket; `nil` over TCP.
    let socket: SocketTrust?

    /// Whether the server is at a unix socket that no other user can have put there.
    let isLocal: Bool

    private let settings: DatabaseSettings

    /// Whether the connection only looks at what keys the server shows: no server gets anything then.
    let onlyLooks: Bool

    /// What is known of servers; `nil` where files are not read, or not needed.
    private let memory: Memory?
    private let readsFiles: Bool

    /// What files say of a server, read before the connect: the client library asks in the middle of one of its calls.
    private struct Memory {
        var keys: Result<ServerKeys, DatabaseError>
        /// The key in the file that the settings name.
        var pinned: ServerKey?
    }

    /// - Parameters:
    ///   - settings: The server and the user.
    ///   - onlyLooks: Whether the connection only looks.
    ///   - readsFiles: Whether this thread may block.
    init(_ settings: DatabaseSettings, onlyLooks: Bool = false, readsFiles: Bool) {
        tls = settings.tls
        if case .socket(let path) = settings.endpoint { socket = SocketTrust(path) } else { socket = nil }
        isLocal = socket.map { $0.stranger == nil } ?? false
        self.settings = settings
        self.onlyLooks = onlyLooks
        self.readsFiles = readsFiles
        // The other modes give the password to no server that was not verified.
        guard readsFiles, !isLocal, !onlyLooks, tls.mode == .disabled || tls.mode.acceptsAnyCertificate else {
            memory = nil
            return
        }
        let bytes = tls.serverPublicKey.flatMap { try? RegularFile.read($0, atMost: 64 << 10, links: .followed) }
        memory = Memory(
            keys: Result { () throws(DatabaseError) in try ServerKeyFile(settings.stateFolder).read() },
            pinned: bytes.flatMap(PublicKey.init(pem:))?.identity
        )
    }

    private var user: String { settings.username }
    private var place: String { ServerKeys.place(of: settings.endpoint) }

    /// A fact that the file has, so that this process need not read it again: asked at each login.
    private struct Seen: Hashable {
        var stateFolder: String?
        var endpoint: Endpoint
        var fact: ServerKeys.Fact
    }

    private static let seen = Locked<Set<Seen>>([])

    private func seen(_ fact: ServerKeys.Fact) -> Seen {
        Seen(stateFolder: settings.stateFolder, endpoint: settings.endpoint, fact: fact)
    }

    private func isSeen(_ fact: ServerKeys.Fact) -> Bool { Self.seen.withLock { $0.contains(seen(fact)) } }

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
        /// It is at a unix socket that another user may have put there, with the reason.
        case strangersSocket(String)
    }

    /// Says why nothing is sent to the unix socket; `nil` when it is trusted, and over TCP.
    ///
    /// A socket that another user can have put there is as good as TCP where the settings have the server's certificate checked.
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

    /// Whether only the right server can be at the other end.
    ///
    /// - Parameter isEncrypted: Whether TLS is in force.
    /// - Returns: Whether it was verified.
    func isVerified(isEncrypted: Bool) -> Bool {
        isLocal || isEncrypted && (!tls.mode.acceptsAnyCertificate || !tls.pins.isEmpty)
    }

    /// Judges a key against the pinned ones.
    func matchesPin(_ key: ServerKey?) -> Bool {
        tls.pins.isEmpty || key.map { tls.pins.contains($0.fingerprint) } ?? false
    }

    /// Whether it takes a file that was not read to judge a key: then the connect starts over on a thread that may block.
    func needsFiles(for key: ServerKey?, isEncrypted: Bool) -> Bool {
        guard !readsFiles, !onlyLooks, !isVerified(isEncrypted: isEncrypted), let key else { return false }
        return key.kind == .rsa && tls.serverPublicKey != nil || !isSeen(.key(key))
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
        if key.kind == .rsa, tls.serverPublicKey != nil { return memory?.pinned == key ? nil : .notPinned(key) }
        guard let memory else { return isSeen(.key(key)) ? nil : .noKey }
        switch memory.keys {
        case .failure(let error): return .unreadable(error)
        case .success(let keys):
            switch keys.finding(key, at: place, user: user, mode: tls.mode) {
            case .known, .first: return nil
            case .changed(let entries): return .changed(key, entries)
            case .unasked(let entry): return .unasked(key, entry)
            }
        }
    }

    /// Remembers the server of a login that has succeeded, on a thread that may block; never fails for that.
    ///
    /// - Parameters:
    ///   - keys: The keys that it has shown.
    ///   - isAskedForMore: Whether it logged in by a method that may ask for the password.
    ///   - isEncrypted: Whether TLS is in force.
    ///   - limits: When it is no longer waited for; it is done all the same.
    func remember(_ keys: [ServerKey], isAskedForMore: Bool, isEncrypted: Bool, limits: Limits) async {
        guard !isVerified(isEncrypted: isEncrypted) else { return }
        var facts = keys.map(ServerKeys.Fact.key)
        if facts.isEmpty, !isAskedForMore { facts = [.withoutPassword(user: user)] }
        guard !facts.allSatisfy(isSeen) else { return }
        let (folder, place, notes) = (settings.stateFolder, place, facts.map(seen))
        _ = try? await onOwnThread(named: "headroom-keys", limits: limits) { [facts] in
            guard ServerKeyFile(folder).remember(facts, of: place) else { return }
            Self.seen.withLock { seen in
                if seen.count > ServerKeys.most { seen.removeAll() }
                seen.formUnion(notes)
            }
        } discard: { _ in
        }
    }
}
