import TestSupport
import Testing

@testable import HeadroomDoor

/// What a client and its session are at is said only when it is known.
@Suite struct ProtocolFollowerTests {
    private typealias Talk = Conversation

    @Test(arguments: Capture.names)
    func `real clients are followed, and what the server says of them is never denied`(name: String) throws {
        var following = Following()
        var truths = 0
        for event in try Capture.events(name) {
            switch event {
            case .client(let bytes): following.client(bytes)
            case .server(let bytes): following.server(bytes)
            case .truth(let isIdle, let isInTransaction):
                truths += 1
                #expect(following.isIdle == isIdle, "after \(truths)")
                if isInTransaction { #expect(following.follower.transaction != .none, "after \(truths)") }
                // A flag may be ahead of InnoDB, which has a transaction from its first table on; an error leaves it unknown.
                if following.follower.stickiness == nil, following.follower.transaction == .none {
                    #expect(!isInTransaction, "after \(truths)")
                }
            }
        }
        #expect(truths > 5)
        #expect(!following.follower.isLost)
        #expect(!following.isParted)
    }

    @Test(arguments: Capture.names)
    func `in whatever pieces the bytes come, the findings are the same`(name: String) throws {
        let events = try Capture.events(name)
        func findings(_ random: inout Seeded, isCut: Bool) -> [String] {
            var following = Following()
            return events.compactMap { event in
                switch event {
                case .client(let bytes):
                    for piece in pieces(bytes, &random, isCut) { following.client(piece) }
                case .server(let bytes):
                    // The greeting is read as a whole by the relay.
                    let isFirst = following.follower.phase == .greeting
                    for piece in pieces(bytes, &random, isCut && !isFirst) { following.server(piece) }
                case .truth: return nil
                }
                let follower = following.follower
                return
                    "\(following.isIdle) \(follower.transaction) \(follower.phase) \(String(describing: follower.stickiness)) "
                    + "\(follower.settings.count) \(follower.isReplaceable)"
            }
        }
        var random = Seeded(7)
        let whole = findings(&random, isCut: false)
        for seed in 1...20 {
            random = Seeded(UInt64(seed))
            #expect(findings(&random, isCut: true) == whole)
        }
    }

    private func pieces(_ bytes: [UInt8], _ random: inout Seeded, _ isCut: Bool) -> [[UInt8]] {
        guard isCut else { return [bytes] }
        var (rest, pieces) = (bytes[...], [[UInt8]]())
        while !rest.isEmpty {
            let count = Int.random(in: 1...max(1, min(rest.count, 12)), using: &random)
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    @Test func `an error leaves the transaction unknown until the server says more`() {
        var talk = Talk()
        talk.query("INSERT INTO t VALUES (1)")
        #expect(!talk.follower.isIdle)
        talk.server(Talk.error(1062))
        #expect(talk.follower.isIdle)
        #expect(talk.follower.transaction == .unknown)
        #expect(!talk.follower.isClean)
        talk.client([14])
        talk.server(Talk.ok(3))
        #expect(talk.follower.transaction == .open)
        talk.query("ROLLBACK")
        talk.server(Talk.ok())
        #expect(talk.follower.isReplaceable)
    }

    @Test(arguments: [false, true])
    func `a reply goes on while more results are announced`(endsByOK: Bool) {
        var talk = Talk(endsByOK ? Capability.deprecateEOF.rawValue : 0)
        talk.query("CALL p()")
        let end: (UInt16) -> [UInt8] = { flags in
            endsByOK ? [0xFE, 0, 0] + Login.bytes(UInt32(flags), 2) + [0, 0] : Talk.eof(flags)
        }
        talk.server([1], Talk.column)
        if !endsByOK { talk.server(Talk.eof()) }
        talk.server([1, 0x31], end(2 | 8))
        #expect(!talk.follower.isIdle)
        talk.server(Talk.ok(3))
        #expect(talk.follower.isIdle)
        #expect(talk.follower.transaction == .open)
    }

    @Test func `a report of progress is no end`() {
        var talk = Talk(without: 1, extended: 1)
        talk.query("ALTER TABLE t FORCE")
        for step in 0..<3 {
            talk.server([0xFF, 0xFF, 0xFF, 1, 1, UInt8(step), 0, 0])
            #expect(!talk.follower.isIdle)
        }
        talk.server(Talk.ok())
        #expect(talk.follower.isClean)
    }

    @Test(arguments: [UInt8(0xFE), 0xFF, 0x00, 0xFB])
    func `what a long row goes on with is nothing by itself`(first: UInt8) {
        var talk = Talk()
        talk.query("SELECT REPEAT('a', 20000000)")
        talk.server([1], Talk.column, Talk.eof())
        let whole = [UInt8](repeating: 0x61, count: 0xFF_FFFF)
        talk.server([0xFD] + whole.dropFirst())
        talk.server([first] + [UInt8](repeating: 0, count: 6))
        #expect(!talk.follower.isIdle)
        talk.server(Talk.eof(3))
        #expect(talk.follower.isIdle)
        #expect(talk.follower.transaction == .open)
    }

    @Test func `a long command is one command`() {
        var talk = Talk()
        talk.client([3] + [UInt8](repeating: 0x20, count: 0xFF_FFFE))
        // Its second packet begins like a goodbye.
        talk.client([1], sequence: 1)
        #expect(talk.follower.phase == .commands)
        talk.server(Talk.ok())
        #expect(talk.follower.isIdle)
        #expect(talk.follower.stickiness == .longStatement)
    }

    @Test func `a cursor's reply ends with its columns, and its rows are asked for`() {
        var talk = Talk()
        talk.client([23, 1, 0, 0, 0, 1, 1, 0, 0, 0])
        talk.server([1], Talk.column, Talk.eof(0x42))
        #expect(talk.follower.isIdle)
        talk.client([28, 1, 0, 0, 0, 10, 0, 0, 0])
        talk.server([0, 0, 1], Talk.eof(0x42))
        #expect(talk.follower.isIdle)
    }

    @Test func `commands without a reply are waited for by nobody, and the ones behind them are`() {
        var talk = Talk()
        talk.client([22] + Array("SELECT ?".utf8))
        talk.server([0, 5, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0], Talk.column, Talk.eof(), Talk.column)
        #expect(!talk.follower.isIdle)
        talk.server(Talk.eof())
        #expect(talk.follower.isIdle)
        #expect(!talk.follower.isReplaceable)
        // mysqlnd sends both at once.
        let both = DoorPacket.framed([25, 5, 0, 0, 0], sequence: 0) + DoorPacket.framed([14], sequence: 0)
        _ = both.withUnsafeBytes { talk.follower.client($0) }
        #expect(!talk.follower.isIdle)
        talk.server(Talk.ok())
        #expect(talk.follower.isReplaceable)
    }

    @Test func `as many replies are waited for as commands were sent`() {
        var talk = Talk()
        talk.query("SELECT 1")
        talk.query("COMMIT")
        talk.server([1], Talk.column, Talk.eof(), [1, 0x31], Talk.eof())
        #expect(!talk.follower.isIdle)
        talk.server(Talk.ok())
        #expect(talk.follower.isIdle)
    }

    @Test func `a file of the client's is no command`() {
        var talk = Talk()
        talk.query("LOAD DATA LOCAL INFILE 'x' INTO TABLE t")
        talk.server([0xFB, 0x78])
        talk.client(Array("\u{1}14\n".utf8), sequence: 2)
        #expect(!talk.follower.isIdle)
        #expect(talk.follower.phase == .commands)
        talk.client([], sequence: 3)
        #expect(!talk.follower.isIdle)
        talk.server(Talk.ok())
        #expect(talk.follower.isIdle)
    }

    @Test func `a change of the user goes on while the server asks for more, and begins a new session`() {
        var talk = Talk(account: "app")
        talk.query("SET @a = 1")
        talk.server(Talk.ok())
        #expect(talk.follower.stickiness != nil)
        let change: [UInt8] = [17] + Array("app".utf8) + [0, 0, 0] + [45, 0]
        talk.client(change)
        talk.server([0xFE] + Array("mysql_native_password".utf8) + [0] + [UInt8](repeating: 3, count: 20) + [0])
        #expect(!talk.follower.isIdle)
        talk.client([UInt8](repeating: 4, count: 20), sequence: 2)
        #expect(!talk.follower.isIdle)
        talk.server(Talk.ok(), sequence: 3)
        #expect(talk.follower.isReplaceable)
        talk.client(change)
        talk.server(Talk.error(1045))
        #expect(talk.follower.isIdle)
        #expect(!talk.follower.isClean)
    }

    @Test(arguments: ["root", "app2", "", "APP"])
    func `nobody else than the account logs in, nor changes to it`(user: String) {
        var follower = ProtocolFollower(account: "app")
        follower.greet(Talk.greeting())
        let login = DoorPacket.framed(Talk.response(Talk.usual, user: user), sequence: 1)
        #expect(login.withUnsafeBytes { follower.client($0) } == .stranger(after: 0))
        var talk = Talk(account: "app")
        let ping = DoorPacket.framed([14], sequence: 0)
        let change = ping + DoorPacket.framed([17] + Array(user.utf8) + [0, 0, 0], sequence: 0)
        #expect(change.withUnsafeBytes { talk.follower.client($0) } == .stranger(after: ping.count))
        // In pieces, it is held back until all of it is there.
        talk = Talk(account: "app")
        for end in 1..<change.count {
            var copy = talk.follower
            let step = change.withUnsafeBytes { copy.client(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
            #expect(step == .pass(end < ping.count ? (end < 5 ? 0 : end) : ping.count))
        }
    }

    @Test(arguments: [Capability.ssl, .compress, .zstandard, .optionalMetadata])
    func `a client that would hide what it says is not followed`(capability: Capability) {
        var follower = ProtocolFollower(account: "app")
        follower.greet(Talk.greeting())
        let login = DoorPacket.framed(Talk.response(Talk.usual | capability.rawValue), sequence: 1)
        _ = login.withUnsafeBytes { follower.client($0) }
        #expect(follower.isLost)
        #expect(!follower.isIdle)
        // It is not even offered.
        let (packet, greeting) = Talk.greetingPacket(.max)
        #expect(greeting.capabilities & capability.rawValue != 0)
        #expect(ServerGreeting(greeting.masked(packet)[...])?.capabilities == .max & ~Capability.blinding)
    }

    @Test(arguments: [UInt8(18), 19, 21, 30, 0xFE, 0xFC, 33, 100])
    func `an unknown command is never done`(command: UInt8) {
        var talk = Talk()
        talk.client([command, 0, 0])
        talk.server(Talk.ok())
        #expect(talk.follower.isLost)
        #expect(!talk.follower.isIdle)
    }

    @Test func `what nobody asked for is not understood`() {
        var talk = Talk()
        talk.server(Talk.error(4031))
        #expect(!talk.follower.isIdle)
        talk = Talk()
        talk.client([14], sequence: 1)
        #expect(!talk.follower.isIdle)
    }

    @Test func `warnings and an id that may be asked for are not given up`() {
        var talk = Talk()
        talk.query("UPDATE t SET a = 'x'")
        talk.server(Talk.ok(warnings: 1))
        #expect(talk.follower.isClean)
        #expect(!talk.follower.isReplaceable)
        talk.query("SELECT 1")
        talk.server([1], Talk.column, Talk.eof(), [1, 0x31], Talk.eof())
        #expect(talk.follower.isReplaceable)
        talk.query("INSERT INTO t VALUES (NULL)")
        talk.server(Talk.ok(insertID: 7))
        talk.query("SELECT 1")
        talk.server([1], Talk.column, Talk.eof(), [1, 0x31], Talk.eof())
        #expect(!talk.follower.isReplaceable)
    }

    @Test func `settings are kept once they have been made, in their order`() {
        var talk = Talk()
        for setting in ["SET NAMES utf8mb4", "SET time_zone = '+01:00'", "SET NAMES utf8mb4"] {
            talk.query(setting)
            talk.server(Talk.ok())
        }
        #expect(
            talk.follower.settings.map { String(decoding: $0, as: UTF8.self) } == [
                "SET time_zone = '+01:00'", "SET NAMES utf8mb4",
            ]
        )
        #expect(talk.follower.isReplaceable)
        talk.query("SET time_zone = 'nowhere'")
        talk.server(Talk.error(1298))
        talk.query("SELECT 1")
        talk.server([1], Talk.column, Talk.eof(), [1, 0x31], Talk.eof())
        #expect(talk.follower.stickiness == .failedSetting)
        talk = Talk()
        for number in 0..<100 {
            talk.query("SET wait_timeout = \(number)")
            talk.server(Talk.ok())
        }
        #expect(talk.follower.stickiness == .manySettings)
    }

    @Test func `a database that was chosen is known, and a failed choice is none`() {
        var talk = Talk()
        talk.client([2] + Array("shop".utf8))
        talk.server(Talk.ok())
        #expect(talk.follower.database == Array("shop".utf8))
        talk.client([2] + Array("nowhere".utf8))
        talk.server(Talk.error(1049))
        #expect(talk.follower.database == Array("shop".utf8))
    }
}

@Suite struct DoorFuzzTests {
    @Test func `whatever client and server say, following them ends and takes little`() async throws {
        var samples: [[UInt8]] = []
        for name in Capture.names {
            // Each piece with a byte that says whose it is, and two for its length.
            samples.append(
                try Capture.events(name)
                    .flatMap { event -> [UInt8] in
                        switch event {
                        case .client(let bytes): [0] + Login.bytes(UInt32(bytes.count), 2) + bytes
                        case .server(let bytes): [1] + Login.bytes(UInt32(bytes.count), 2) + bytes
                        case .truth: []
                        }
                    }
            )
        }
        try await Fuzz.run(.door, samples) { input, random in
            var following = Following()
            var rest = input[...]
            while rest.count >= 3 {
                let (side, count) = (rest[rest.startIndex], Int(ServerPacket.number(rest.dropFirst().prefix(2))))
                let bytes = Array(rest.dropFirst(3).prefix(count))
                rest = rest.dropFirst(3 + count)
                if side & 1 == 0 { following.client(bytes) } else { following.server(bytes) }
                if following.follower.isReplaceable { #expect(following.follower.isClean && following.follower.isIdle) }
            }
            #expect(following.follower.settings.count <= 65)
            _ = random.next()
        }
    }
}
