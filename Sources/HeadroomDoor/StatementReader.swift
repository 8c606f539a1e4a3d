/// Says what a statement leaves behind in its session, by its text alone.
///
/// It knows no grammar: a statement that begins with no known word, or that holds a word which may leave something behind, counts as
/// one that does. What stands in literals is left out only when it is certain where they end.
struct StatementReader {
    /// What a statement leaves behind.
    enum Effect: Equatable {
        /// Nothing that a session without a transaction would miss.
        case none
        /// A setting, which the same statement gives another session.
        case setting
        /// What cannot be made again.
        case sticks(Stickiness)
    }

    let effect: Effect

    /// Judges a statement.
    ///
    /// - Parameters:
    ///   - statement: Its text.
    ///   - mayBeSeveral: Whether the client may send several in one.
    ///   - hasBackslashEscapes: Whether a backslash in a literal takes the next character's meaning away; `nil` when it is not known.
    ///   - characterSet: The number of the client's character set, as in the login.
    init(_ statement: ArraySlice<UInt8>, mayBeSeveral: Bool, hasBackslashEscapes: Bool?, characterSet: UInt16) {
        var text = Self.withoutLeadingComments(statement)
        while let last = text.last, last == UInt8(ascii: ";") || Self.isBlank(last) { text.removeLast() }
        let isCertain = Self.isTransparent(characterSet) || text.allSatisfy { $0 < 0x80 }
        let outside = isCertain ? Self.withoutLiterals(text, hasBackslashEscapes) : nil
        effect = Self.effect(text, bare: outside ?? Array(text), mayBeSeveral)
    }

    private static func effect(_ text: ArraySlice<UInt8>, bare: [UInt8], _ mayBeSeveral: Bool) -> Effect {
        if mayBeSeveral, bare.contains(UInt8(ascii: ";")) { return .sticks(.severalStatements) }
        let words = Words(bare[...])
        // What begins with a comment, which may be none, or with a name in quotes, begins with no word.
        let start = text.first { !isBlank($0) && $0 != UInt8(ascii: "(") }
        guard start.map(isOfWord) == true, let first = words.first, let kind = beginnings[first] else {
            return .sticks(.unknownStatement)
        }
        if kind == .set {
            // Everything else about it is known then.
            return SettingReader.isReplayable(text) ? .setting : .sticks(.unknownSetting)
        }
        if kind == .start, !words.isTransaction { return .sticks(.unknownStatement) }
        if holdsVariable(bare) { return .sticks(.variable) }
        if !words.all.isDisjoint(with: variables) { return .sticks(.variable) }
        if !words.all.isDisjoint(with: locks) { return .sticks(.lock) }
        if !words.all.isDisjoint(with: ["TEMPORARY"]) { return .sticks(.temporaryTable) }
        // What an INSERT returns by RETURNING comes without the id.
        if !words.all.isDisjoint(with: ["LAST_INSERT_ID", "RETURNING"]) { return .sticks(.insertID) }
        // The session's own database may go, and no other login is let in to it.
        if first == "DROP", !words.all.isDisjoint(with: ["DATABASE", "SCHEMA"]) { return .sticks(.unknownStatement) }
        return .none
    }

    private enum Beginning { case plain, set, start }

    private static let beginnings: [String: Beginning] = {
        let plain = [
            "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "SHOW", "EXPLAIN", "DESCRIBE", "DESC",
            "TRUNCATE",
            "COMMIT", "ROLLBACK", "SAVEPOINT", "CREATE", "ALTER", "DROP", "RENAME", "ANALYZE", "OPTIMIZE", "CHECK",
            "REPAIR",
            "TABLE", "VALUES", "KILL",
        ]
        var table = Dictionary(uniqueKeysWithValues: plain.map { ($0, Beginning.plain) })
        table["SET"] = .set
        for word in ["START", "BEGIN", "RELEASE"] { table[word] = .start }
        return table
    }()

    /// What may give a variable a value by another name than `:=`, or reads one result of the statement before.
    private static let variables: Set<String> = [
        "SQL_CALC_FOUND_ROWS", "PREPARE", "EXECUTE", "HANDLER", "NEXT", "NEXTVAL", "SETVAL",
    ]

    private static let locks: Set<String> = [
        "GET_LOCK", "RELEASE_LOCK", "RELEASE_ALL_LOCKS", "LOCK_TABLES", "SERVICE_GET_WRITE_LOCKS",
        "SERVICE_GET_READ_LOCKS", "VERSION_TOKENS_LOCK_SHARED", "VERSION_TOKENS_LOCK_EXCLUSIVE", "VERSION_TOKENS_SET",
        "SETVAL_SESSION",
    ]

    /// Whether a user's variable is named, or given a value; `@@name` is a setting that is read.
    private static func holdsVariable(_ text: [UInt8]) -> Bool {
        var before: UInt8 = 0
        var beforeThat: UInt8 = 0
        for byte in text {
            if before == UInt8(ascii: ":"), byte == UInt8(ascii: "=") { return true }
            if before == UInt8(ascii: "@"), byte != UInt8(ascii: "@"), beforeThat != UInt8(ascii: "@") { return true }
            if byte == UInt8(ascii: "@"), before == UInt8(ascii: "@"), beforeThat == UInt8(ascii: "@") { return true }
            (beforeThat, before) = (before, byte)
        }
        return before == UInt8(ascii: "@")
    }

    /// The text from where it begins: a comment that a server skips is none of it, but one that it runs is.
    private static func withoutLeadingComments(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var text = text.drop(while: isBlank)
        while text.starts(with: Array("/*".utf8)), let third = text.dropFirst(2).first, !"!M+".utf8.contains(third) {
            guard let end = text.indices.dropFirst(3).first(where: { text[$0 - 1] == 0x2A && text[$0] == 0x2F }) else {
                return text
            }
            text = text[(end + 1)...].drop(while: isBlank)
        }
        return text
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Whether no byte below 0x80 is ever a part of a longer character of the set, as is so in UTF-8.
    private static func isTransparent(_ characterSet: UInt16) -> Bool {
        switch characterSet {
        case 5, 8, 11, 15, 31, 33, 45...49, 63, 65, 76, 83, 94, 192...215, 223...247, 255...323: true
        default: false
        }
    }

    /// The text with a blank in the place of what stands in single quotes; `nil` when it is not certain where that ends.
    ///
    /// What stands in other quotes stays: it may be a function's name.
    private static func withoutLiterals(_ text: ArraySlice<UInt8>, _ hasBackslashEscapes: Bool?) -> [UInt8]? {
        var outside: [UInt8] = []
        outside.reserveCapacity(text.count)
        var quote: UInt8 = 0
        var isEscaped = false
        for index in text.indices {
            let byte = text[index]
            if quote != 0 {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\"), quote != UInt8(ascii: "`") {
                    // In double quotes it means something or nothing, as the session's mode says.
                    guard quote == UInt8(ascii: "'"), let hasBackslashEscapes else { return nil }
                    isEscaped = hasBackslashEscapes
                } else if byte == quote {
                    quote = 0
                    outside.append(UInt8(ascii: " "))
                } else if quote != UInt8(ascii: "'") {
                    outside.append(byte)
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
                quote = byte
                outside.append(UInt8(ascii: " "))
            case UInt8(ascii: "#"), UInt8(ascii: "\\"): return nil
            case UInt8(ascii: "*") where index > text.startIndex && text[index - 1] == UInt8(ascii: "/"): return nil
            case UInt8(ascii: "-") where index > text.startIndex && text[index - 1] == UInt8(ascii: "-"): return nil
            default: outside.append(byte)
            }
        }
        return quote == 0 ? outside : nil
    }

    /// The words of a text, in capitals.
    private struct Words {
        let first: String?
        let all: Set<String>
        /// Whether it is START TRANSACTION, BEGIN or RELEASE SAVEPOINT.
        let isTransaction: Bool

        init(_ text: ArraySlice<UInt8>) {
            var all: [String] = []
            var word: [UInt8] = []
            for byte in text {
                if StatementReader.isOfWord(byte) {
                    word.append((UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) ? byte - 32 : byte)
                } else if !word.isEmpty {
                    all.append(String(decoding: word, as: UTF8.self))
                    word.removeAll(keepingCapacity: true)
                }
            }
            if !word.isEmpty { all.append(String(decoding: word, as: UTF8.self)) }
            first = all.first
            self.all = Set(all)
            isTransaction =
                switch (all.first, all.dropFirst().first) {
                case ("BEGIN"?, nil): true
                case ("BEGIN"?, "WORK"?): all.count == 2
                case ("START"?, "TRANSACTION"?), ("RELEASE"?, "SAVEPOINT"?): true
                default: false
                }
        }
    }

    static func isOfWord(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "$"), 0x80...:
            true
        default: false
        }
    }

    /// Whether a statement reads what the one before it has left: a new session would answer it wrongly.
    static func readsBefore(_ statement: some Collection<UInt8>) -> Bool {
        let capitals = statement.prefix(ProtocolFollower.longestText)
            .map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 }
        return capitals.contains(sequence: "ROW_COUNT") || capitals.contains(sequence: "FOUND_ROWS")
            || capitals.contains(sequence: "WARNINGS") || capitals.contains(sequence: "ERRORS")
            || capitals.contains(sequence: "DIAGNOSTICS") || capitals.contains(sequence: "LAST_INSERT_ID")
            || capitals.contains(sequence: "WARNING_COUNT") || capitals.contains(sequence: "ERROR_COUNT")
            || capitals.contains(sequence: "IDENTITY") || capitals.contains(sequence: "LASTVAL")
            || capitals.contains(sequence: "PREVIOUS")
    }
}

/// Knows the statements by which a session gets settings that another session gets by the same statement.
///
/// Names it does not know, values that are no plain literals, and whatever is set for one transaction or for all sessions are none.
enum SettingReader {
    private static let names: Set<String> = [
        "AUTOCOMMIT", "SQL_MODE", "TIME_ZONE", "WAIT_TIMEOUT", "INTERACTIVE_TIMEOUT", "NET_READ_TIMEOUT",
        "NET_WRITE_TIMEOUT", "LOCK_WAIT_TIMEOUT", "INNODB_LOCK_WAIT_TIMEOUT", "MAX_STATEMENT_TIME",
        "MAX_EXECUTION_TIME",
        "IDLE_TRANSACTION_TIMEOUT", "GROUP_CONCAT_MAX_LEN", "SQL_SAFE_UPDATES", "SQL_BIG_SELECTS", "BIG_TABLES",
        "MAX_JOIN_SIZE", "FOREIGN_KEY_CHECKS", "UNIQUE_CHECKS", "CHARACTER_SET_CLIENT", "CHARACTER_SET_CONNECTION",
        "CHARACTER_SET_RESULTS", "COLLATION_CONNECTION", "LC_TIME_NAMES", "DIV_PRECISION_INCREMENT", "SQL_AUTO_IS_NULL",
        "SQL_QUOTE_SHOW_CREATE", "SQL_NOTES", "SQL_WARNINGS", "OPTIMIZER_SWITCH", "TMP_TABLE_SIZE",
        "MAX_HEAP_TABLE_SIZE",
        "SORT_BUFFER_SIZE", "JOIN_BUFFER_SIZE", "READ_BUFFER_SIZE", "READ_RND_BUFFER_SIZE", "DEFAULT_STORAGE_ENGINE",
        "STORAGE_ENGINE", "SQL_SELECT_LIMIT", "DEFAULT_WEEK_FORMAT", "INFORMATION_SCHEMA_STATS_EXPIRY",
        "WSREP_SYNC_WAIT",
        "TX_ISOLATION", "TRANSACTION_ISOLATION",
    ]

    /// Character sets in which no byte of a longer character is one of ASCII's.
    private static let characterSets: Set<String> = ["UTF8", "UTF8MB3", "UTF8MB4", "LATIN1", "ASCII", "BINARY"]

    /// Whether the statement does no more than to give its session settings that another gets by the same.
    static func isReplayable(_ statement: ArraySlice<UInt8>) -> Bool {
        var tokens = Tokens(statement)
        guard tokens.word() == "SET" else { return false }
        if tokens.isWord("SESSION", "TRANSACTION", "ISOLATION", "LEVEL") { return isIsolationLevel(&tokens) }
        repeat {
            guard isAssignment(&tokens) else { return false }
        } while tokens.take(UInt8(ascii: ","))
        return tokens.isAtEnd
    }

    private static func isIsolationLevel(_ tokens: inout Tokens) -> Bool {
        switch tokens.word() {
        case "SERIALIZABLE": break
        case "READ": guard ["COMMITTED", "UNCOMMITTED"].contains(tokens.word()) else { return false }
        case "REPEATABLE": guard tokens.word() == "READ" else { return false }
        default: return false
        }
        return tokens.isAtEnd
    }

    private static func isAssignment(_ tokens: inout Tokens) -> Bool {
        if tokens.isWord("NAMES") {
            guard isCharacterSet(tokens.value()) else { return false }
            return tokens.isWord("COLLATE") ? tokens.value() != nil : true
        }
        if tokens.isWord("CHARACTER", "SET") || tokens.isWord("CHARSET") { return isCharacterSet(tokens.value()) }
        var isOfSession = false
        if tokens.take(UInt8(ascii: "@")) {
            guard tokens.take(UInt8(ascii: "@")), tokens.isWord("SESSION") || tokens.isWord("LOCAL"),
                tokens.take(UInt8(ascii: "."))
            else { return false }
            isOfSession = true
        } else {
            isOfSession = tokens.isWord("SESSION") || tokens.isWord("LOCAL")
        }
        guard let name = tokens.word(), names.contains(name), tokens.take(UInt8(ascii: "=")) else { return false }
        // Without the word some clients' libraries mean the next transaction alone.
        if name.utf8.contains(sequence: "ISOLATION"), !isOfSession { return false }
        guard let value = tokens.value() else { return false }
        return name.utf8.contains(sequence: "CHARACTER_SET") ? isCharacterSet(value) || value == "NULL" : true
    }

    private static func isCharacterSet(_ name: String?) -> Bool { name.map(characterSets.contains) ?? false }

    /// The tokens of a statement; what is none of those below is none at all.
    private struct Tokens {
        private var rest: ArraySlice<UInt8>

        init(_ text: ArraySlice<UInt8>) { rest = text }

        var isAtEnd: Bool {
            mutating get {
                skipBlanks()
                return rest.isEmpty
            }
        }

        private mutating func skipBlanks() { rest = rest.drop(while: StatementReader.isBlank) }

        mutating func take(_ sign: UInt8) -> Bool {
            skipBlanks()
            guard rest.first == sign else { return false }
            rest.removeFirst()
            return true
        }

        /// The next word, in capitals.
        mutating func word() -> String? {
            skipBlanks()
            let word = rest.prefix(while: StatementReader.isOfWord)
            guard !word.isEmpty, word.allSatisfy({ $0 < 0x80 }) else { return nil }
            rest = rest.dropFirst(word.count)
            return Self.capitals(word)
        }

        /// Whether these words come next, which are taken then.
        mutating func isWord(_ words: String...) -> Bool {
            let before = rest
            for wanted in words where word() != wanted {
                rest = before
                return false
            }
            return true
        }

        /// A number, a word or a literal without anything special in it; in capitals.
        mutating func value() -> String? {
            skipBlanks()
            guard let first = rest.first else { return nil }
            if first == UInt8(ascii: "'") || first == UInt8(ascii: "\"") {
                let text = rest.dropFirst().prefix { $0 != first }
                guard text.allSatisfy({ (0x20..<0x7F).contains($0) && $0 != UInt8(ascii: "\\") }) else { return nil }
                rest = rest.dropFirst(text.count + 1)
                guard rest.popFirst() == first, rest.first != first else { return nil }
                return Self.capitals(text)
            }
            let sign = rest.prefix { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
            guard sign.count <= 1 else { return nil }
            rest = rest.dropFirst(sign.count)
            let text = rest.prefix { StatementReader.isOfWord($0) || $0 == UInt8(ascii: ".") }
            guard !text.isEmpty, text.allSatisfy({ $0 < 0x80 }) else { return nil }
            rest = rest.dropFirst(text.count)
            return Self.capitals(text)
        }

        private static func capitals(_ text: ArraySlice<UInt8>) -> String {
            String(
                decoding: text.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 },
                as: UTF8.self
            )
        }
    }
}
