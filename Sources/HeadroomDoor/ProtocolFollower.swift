/// Follows one connection of MySQL's and MariaDB's protocol, and says what the client and its session are at.
///
/// A pure state machine over packet headers and the beginnings of packets: it is given the bytes of both directions in pieces of any
/// size, each before it is passed on, and does no more than that. What it cannot follow it calls busy for good: that something is
/// idle, or that no transaction is open, is only said when it is known. (The protocol: MySQL's and MariaDB's manuals, "Client/Server
/// Protocol". What goes wrong with less is in `docs/door.md`.)
package struct ProtocolFollower: Sendable {
    /// How far a connection has come.
    package enum Phase: Sendable, Equatable {
        /// The server has not greeted yet.
        case greeting
        /// The client is logging in.
        case login
        /// The client sends commands.
        case commands
        /// The client has said goodbye.
        case quitting
        /// The server has refused the login.
        case refused
        /// The bytes cannot be followed, for the reason.
        case lost(String)
    }

    /// Whether a transaction is open on the server.
    package enum Transaction: Sendable, Equatable {
        case none, open
        /// The server has replied with an error, which says nothing of it.
        case unknown
    }

    /// What the client asks for with a packet.
    package enum Command {
        package static let quit: UInt8 = 1
        package static let initDatabase: UInt8 = 2
        package static let query: UInt8 = 3
        package static let fieldList: UInt8 = 4
        package static let refresh: UInt8 = 7
        package static let statistics: UInt8 = 9
        package static let processInfo: UInt8 = 10
        package static let kill: UInt8 = 12
        package static let debug: UInt8 = 13
        package static let ping: UInt8 = 14
        package static let changeUser: UInt8 = 17
        package static let prepare: UInt8 = 22
        package static let execute: UInt8 = 23
        package static let sendLongData: UInt8 = 24
        package static let closeStatement: UInt8 = 25
        package static let resetStatement: UInt8 = 26
        package static let setOption: UInt8 = 27
        package static let fetch: UInt8 = 28
        package static let resetConnection: UInt8 = 31
        package static let bulkExecute: UInt8 = 0xFA
    }

    /// What becomes of bytes of the client.
    package enum Step: Equatable, Sendable {
        /// So many of them may be passed on; the others are to be offered again, with more behind them.
        case pass(Int)
        /// Somebody else than the account wants to log in, after so many that may be passed on.
        case stranger(after: Int)
    }

    private struct Outstanding: Sendable {
        var command: UInt8
        /// What is noted of the session when the command succeeds.
        var change: Change?
    }

    private enum Change: Sendable {
        case setting([UInt8])
        case database([UInt8])
        case user(Login)
    }

    /// Where in the reply to the first outstanding command the server is.
    private enum Reply {
        /// Nothing of it has come, or nothing of its next result.
        case beginning
        /// So many descriptions of parameters or columns of a prepared statement are to come, the packets that end them included.
        case descriptions(Int)
        /// So many descriptions of columns are to come.
        case columns(UInt64)
        /// The packet that ends the descriptions of columns.
        case columnsEnd
        case rows
        /// The client sends the file that the server has asked for.
        case file
    }

    /// Who may log in; `nil` for anybody.
    private let account: [UInt8]?

    package private(set) var phase = Phase.greeting
    package private(set) var transaction = Transaction.unknown

    /// Why the session's state cannot be made again in another session; `nil` when it can be.
    package private(set) var stickiness: Stickiness?

    /// The statements that give another session the same settings, in their order.
    package private(set) var settings: [[UInt8]] = []

    /// The database in use, as far as the session was told in the login or by COM_INIT_DB.
    package var database: [UInt8]? { login?.database }

    /// What the server has said of itself.
    package private(set) var greeting: ServerGreeting?

    /// What the client has logged in with last, the database in use included.
    package private(set) var login: Login?

    /// Whether what the server said last has warnings, which the client may still ask for.
    private var hasWarnings = false

    /// Whether the session has an id for LAST_INSERT_ID() to return.
    package private(set) var hasInsertID = false

    private var outstanding: [Outstanding] = []
    private var first = 0
    private var reply = Reply.beginning
    private var openStatements: Set<UInt32> = []
    private var hasNoBackslashEscapes = false

    private var serverHead = PacketHead()
    private var serverRest = 0
    private var isServerContinuing = false

    private var clientRest = 0
    private var isClientContinuing = false
    private var text: [UInt8]?
    private var textCommand: UInt8 = 0
    private var textIsCut = false

    /// The most bytes of a statement that are looked at; a longer one may hold anything.
    static let longestText = 64 << 10

    /// The most statements that are kept, prepared or to be run again; a client with more is no longer looked into.
    private static let mostKept = 64
    private static let mostStatements = 4096
    private static let mostOutstanding = 65_536

    /// Creates a follower of a new connection.
    ///
    /// - Parameter account: The one user who may log in; `nil` for anybody.
    package init(account: String? = nil) {
        self.account = account.map { Array($0.utf8) }
    }

    private var isReplying: Bool { first < outstanding.count }

    /// Whether the client waits for nothing, and has sent nothing that the server could be busy with.
    package var isIdle: Bool {
        phase == .commands && !isReplying && clientRest == 0 && !isClientContinuing && serverRest == 0
            && serverHead.count == 0 && !isServerContinuing
    }

    /// Whether the bytes cannot be followed.
    package var isLost: Bool { if case .lost = phase { true } else { false } }

    /// Whether the server is in the middle of a reply.
    package var isSending: Bool { if isReplying, case .beginning = reply { false } else { isReplying } }

    /// Whether nothing of the session but settings would be missed in another: no transaction, no locks, no variables.
    package var isClean: Bool { isIdle && transaction == .none && stickiness == nil }

    /// Whether the session can be ended now and another be put in its place without the client's notice.
    package var isReplaceable: Bool { isClean && openStatements.isEmpty && !hasWarnings && !hasInsertID }

    // MARK: The client

    /// Follows bytes of the client, before they are passed on.
    package mutating func client(_ bytes: UnsafeRawBufferPointer) -> Step {
        var index = 0
        while index < bytes.count {
            if case .lost = phase { return .pass(bytes.count) }
            if clientRest > 0 {
                let count = min(clientRest, bytes.count - index)
                take(UnsafeRawBufferPointer(rebasing: bytes[index..<index + count]))
                index += count
                continue
            }
            let left = UnsafeRawBufferPointer(rebasing: bytes[index...])
            guard left.count >= 4 else { return .pass(index) }
            let length = Int(left[0]) | Int(left[1]) << 8 | Int(left[2]) << 16
            let isContinuation = isClientContinuing
            if !isContinuation, length > 0 {
                guard left.count >= 5 else { return .pass(index) }
                // Who logs in is seen before the server is asked.
                if needsWhole(left[4], sequence: left[3]) {
                    guard length <= Login.longest else {
                        phase = .lost("a login of \(length) bytes")
                        return .stranger(after: index)
                    }
                    guard left.count >= 4 + length else { return .pass(index) }
                    guard takeLogin(UnsafeRawBufferPointer(rebasing: left[4..<4 + length])) else {
                        return .stranger(after: index)
                    }
                    index += 4 + length
                    continue
                }
            }
            isClientContinuing = length == 0xFF_FFFF
            clientRest = length
            index += 4
            begin(length: length, sequence: left[3], first: length > 0 ? bytes[index] : nil, isContinuation)
            if length == 0 { finishText() }
        }
        return .pass(index)
    }

    private func needsWhole(_ first: UInt8, sequence: UInt8) -> Bool {
        switch phase {
        case .login: login == nil
        case .commands: first == Command.changeUser && sequence == 0
        default: false
        }
    }

    /// Takes note of who logs in, or changes the user; returns whether it is the account.
    private mutating func takeLogin(_ packet: UnsafeRawBufferPointer) -> Bool {
        let isFirst = login == nil
        guard let new = isFirst ? Login(response: packet) : login?.changed(by: packet) else {
            phase = .lost("a login that cannot be read")
            return false
        }
        guard account == nil || new.user == account else { return false }
        if isFirst {
            login = new
            guard let greeting, new.canBeFollowed(after: greeting) else {
                phase = .lost("what the client and the server have agreed on")
                return account == nil
            }
        } else {
            add(Outstanding(command: Command.changeUser, change: .user(new)))
        }
        return true
    }

    /// Begins a packet of the client.
    private mutating func begin(length: Int, sequence: UInt8, first command: UInt8?, _ isContinuation: Bool) {
        guard phase == .commands else { return }
        if isContinuation { return }
        if isReplying, case .file = reply {
            // An empty packet ends the file, and the server replies.
            if length == 0 { reply = .beginning }
            return
        }
        // What is asked for in the course of a change of the user.
        if isReplying, outstanding[first].command == Command.changeUser, sequence != 0 { return }
        guard sequence == 0, let command else {
            phase = .lost("a packet of the client out of its turn")
            return
        }
        switch command {
        case Command.quit: phase = .quitting
        case Command.query, Command.prepare, Command.initDatabase, Command.closeStatement:
            text = []
            textCommand = command
            textIsCut = false
            if command != Command.closeStatement { add(Outstanding(command: command)) }
        case Command.sendLongData: break
        case Command.resetConnection:
            stick(.reset)
            add(Outstanding(command: command))
        case Command.refresh:
            stick(.unknownStatement)
            add(Outstanding(command: command))
        case Command.setOption:
            stick(.option)
            add(Outstanding(command: command))
        case Command.fieldList, Command.statistics, Command.processInfo, Command.kill, Command.debug, Command.ping,
            Command.execute, Command.resetStatement, Command.fetch, Command.bulkExecute:
            add(Outstanding(command: command))
        default:
            phase = .lost("command \(command)")
        }
    }

    private mutating func add(_ command: Outstanding) {
        if first == outstanding.count {
            outstanding.removeAll(keepingCapacity: true)
            first = 0
            reply = .beginning
        }
        guard outstanding.count < Self.mostOutstanding else {
            phase = .lost("too many commands at once")
            return
        }
        outstanding.append(command)
    }

    /// Takes a part of a packet of the client.
    private mutating func take(_ bytes: UnsafeRawBufferPointer) {
        clientRest -= bytes.count
        guard text != nil else { return }
        let room = Self.longestText - (text?.count ?? 0)
        if bytes.count > room { textIsCut = true }
        text?.append(contentsOf: bytes.prefix(room))
        if clientRest == 0, !isClientContinuing { finishText() }
    }

    /// Judges a statement that has come as a whole.
    private mutating func finishText() {
        guard let packet = text, let command = packet.first else { return }
        text = nil
        let rest = packet.dropFirst()
        switch command {
        case Command.closeStatement:
            if rest.count == 4 { openStatements.remove(ServerPacket.number(rest)) }
        case Command.initDatabase:
            if textIsCut { stick(.longStatement) }
            outstanding[outstanding.count - 1].change = .database(Array(rest))
        default:
            judge(rest, command)
        }
    }

    private mutating func judge(_ packet: ArraySlice<UInt8>, _ command: UInt8) {
        var statement = packet
        if command == Command.query, login?.has(.queryAttributes) == true {
            // The numbers of attributes and of their sets come first; with attributes the text is somewhere behind them.
            guard packet.starts(with: [0, 1]) else { return stick(.unknownStatement) }
            statement = packet.dropFirst(2)
        }
        guard !textIsCut else { return stick(.longStatement) }
        let reader = StatementReader(
            statement,
            mayBeSeveral: login?.has(.multiStatements) ?? true,
            // With other commands on their way nobody knows what they set.
            hasBackslashEscapes: outstanding.count - first > 1 ? nil : !hasNoBackslashEscapes,
            characterSet: login?.characterSet ?? 0
        )
        switch reader.effect {
        case .none: break
        case .sticks(let reason): stick(reason)
        case .setting:
            // What a prepared statement sets is told when it is executed, and perhaps more than once.
            guard command == Command.query else { return stick(.preparedSetting) }
            // Should it fail, it may have set a part.
            outstanding[outstanding.count - 1].change = .setting(Array(statement))
        }
    }

    private mutating func stick(_ reason: Stickiness) {
        if stickiness == nil { stickiness = reason }
    }

    // MARK: The server

    /// Follows bytes of the server.
    package mutating func server(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count {
            if case .lost = phase { return }
            if serverRest > 0 {
                let count = min(serverRest, bytes.count - index)
                serverRest -= count
                index += count
                continue
            }
            index += serverHead.take(UnsafeRawBufferPointer(rebasing: bytes[index...]))
            guard serverHead.isComplete else { return }
            let packet = serverHead.packet
            serverHead.removeAll()
            serverRest = packet.length - packet.count
            let isContinuation = isServerContinuing
            isServerContinuing = packet.length == 0xFF_FFFF
            if !isContinuation { take(packet) }
        }
    }

    /// Takes note of the server's greeting, which is its first packet as the client sees it.
    package mutating func greet(_ greeting: ServerGreeting) {
        self.greeting = greeting
        phase = .login
    }

    /// Takes note that the client is logged in to another session, after all.
    ///
    /// - Parameter packet: What the server says to that, without its header.
    mutating func admit(_ packet: [UInt8]) {
        var head = ServerPacket()
        head.length = packet.count
        for byte in packet.prefix(ServerPacket.room) { head.append(byte) }
        finishLogin(head)
    }

    private mutating func take(_ packet: ServerPacket) {
        switch phase {
        case .greeting, .login:
            switch packet.first {
            case 0 where phase == .login: finishLogin(packet)
            case 0xFF: phase = .refused
            default: break
            }
        case .commands: takeReply(packet)
        case .quitting, .refused, .lost: break
        }
    }

    private mutating func finishLogin(_ packet: ServerPacket) {
        guard let status = packet.okStatus else {
            phase = .lost("the end of a login that cannot be read")
            return
        }
        phase = .commands
        note(status)
    }

    private var endsByOK: Bool { login?.has(.deprecateEOF) ?? false }

    private mutating func takeReply(_ packet: ServerPacket) {
        guard isReplying else {
            // At the end of its patience MySQL says so unasked.
            phase = .lost("a packet of the server that nobody asked for")
            return
        }
        if packet.first == 0xFF, packet.count >= 3 {
            // MariaDB's report of progress, after which the reply goes on.
            if packet.errorNumber == 0xFFFF { return }
            return fail()
        }
        switch outstanding[first].command {
        case Command.statistics: finish()
        case Command.changeUser: if packet.first == 0 { end(packet) }
        case Command.prepare: takePrepared(packet)
        case Command.fieldList, Command.fetch: if packet.isEnd(byOK: endsByOK) { end(packet) }
        case Command.query, Command.execute, Command.bulkExecute, Command.processInfo: takeResult(packet)
        default: end(packet)
        }
    }

    private mutating func takePrepared(_ packet: ServerPacket) {
        switch reply {
        case .descriptions(let left):
            if left > 1 { reply = .descriptions(left - 1) } else { finish() }
        default:
            guard packet.first == 0, packet.count >= 12 else {
                phase = .lost("a reply to PREPARE")
                return
            }
            openStatements.insert(packet.number(at: 1))
            if openStatements.count > Self.mostStatements { phase = .lost("too many prepared statements") }
            let (columns, parameters) = (Int(packet.short(at: 5)), Int(packet.short(at: 7)))
            let ends = endsByOK ? 0 : (columns > 0 ? 1 : 0) + (parameters > 0 ? 1 : 0)
            if columns + parameters + ends > 0 { reply = .descriptions(columns + parameters + ends) } else { finish() }
        }
    }

    private mutating func takeResult(_ packet: ServerPacket) {
        switch reply {
        case .beginning:
            switch packet.first {
            case 0: end(packet)
            case 0xFB:
                // With other commands behind it, nobody could tell the file from them.
                guard outstanding[first].command == Command.query, outstanding.count - first == 1, clientRest == 0
                else {
                    phase = .lost("a request for a file")
                    return
                }
                reply = .file
            default:
                guard let (columns, next) = packet.lengthEncoded(at: 0), columns > 0 else {
                    phase = .lost("the head of a result")
                    return
                }
                let isDescribed =
                    !(login?.hasMariaDB(.cachedMetadata) ?? false) || next >= packet.length || packet[next] != 0
                reply = isDescribed ? .columns(columns) : endsByOK ? .rows : .columnsEnd
            }
        case .columns(let left):
            reply = left > 1 ? .columns(left - 1) : endsByOK ? .rows : .columnsEnd
        case .columnsEnd:
            guard packet.first == 0xFE, let status = packet.endStatus(byOK: false) else {
                phase = .lost("the end of a result's columns")
                return
            }
            if status.has(.cursor) { end(packet) } else { reply = .rows }
        case .rows:
            if packet.isEnd(byOK: endsByOK) { end(packet) }
        case .file, .descriptions:
            phase = .lost("a reply in the middle of a file")
        }
    }

    /// Takes the packet that ends a result.
    private mutating func end(_ packet: ServerPacket) {
        guard let status = packet.first == 0 ? packet.okStatus : packet.endStatus(byOK: endsByOK) else {
            phase = .lost("the end of a result")
            return
        }
        note(status)
        // Several statements, or a procedure: another result follows.
        if status.has(.moreResults) { reply = .beginning } else { finish() }
    }

    private mutating func note(_ status: ServerStatus) {
        transaction = status.has(.transaction) ? .open : .none
        hasNoBackslashEscapes = status.has(.noBackslashEscapes)
        hasWarnings = status.warnings > 0
        if status.insertID > 0 { hasInsertID = true }
    }

    private mutating func finish() {
        switch outstanding[first].change {
        case .setting(let statement): keep(statement)
        case .database(let name): login?.database = name
        case .user(let new):
            login = new
            settings = []
            openStatements = []
            // A login names a character set of one byte only.
            stickiness = new.characterSet > 0xFF ? .unknownSetting : nil
            hasInsertID = false
        case nil: break
        }
        outstanding[first].change = nil
        first += 1
        reply = .beginning
    }

    /// Ends the reply with an error.
    private mutating func fail() {
        transaction = .unknown
        hasWarnings = true
        switch outstanding[first].change {
        case .setting: stick(.failedSetting)
        // MariaDB keeps the session after a wrong password: whose it is then is not looked into.
        case .user: stick(.reset)
        case .database, nil: break
        }
        outstanding[first].change = nil
        first += 1
        reply = .beginning
    }

    private mutating func keep(_ statement: [UInt8]) {
        settings.removeAll { $0 == statement }
        settings.append(statement)
        if settings.count > Self.mostKept { stick(.manySettings) }
    }
}

/// Why a session's state cannot be made again in another session.
package enum Stickiness: String, Sendable {
    case unknownStatement = "an unknown statement"
    case longStatement = "a statement too long to look into"
    case severalStatements = "several statements in one"
    case variable = "a user variable"
    case lock = "a lock"
    case temporaryTable = "a temporary table"
    case insertID = "LAST_INSERT_ID() was set"
    case unknownSetting = "a setting that is not replayed"
    case failedSetting = "a setting that failed"
    case preparedSetting = "a prepared setting"
    case manySettings = "too many settings"
    case option = "an option of the session"
    case reset = "the session was reset"
}

/// The header and the beginning of a packet of the server, as it comes.
private struct PacketHead: Sendable {
    private(set) var packet = ServerPacket()
    private var header: UInt32 = 0
    private(set) var count = 0

    var isComplete: Bool { count >= 4 && count == 4 + min(packet.length, ServerPacket.room) }

    /// Takes what is still missing; returns how many bytes that was.
    mutating func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        var index = 0
        while index < bytes.count, !isComplete {
            if count < 4 {
                header |= UInt32(bytes[index]) << (8 * UInt32(count))
                if count == 3 { packet.length = Int(header & 0xFF_FFFF) }
            } else {
                packet.append(bytes[index])
            }
            count += 1
            index += 1
        }
        return index
    }

    mutating func removeAll() {
        packet = ServerPacket()
        header = 0
        count = 0
    }
}
