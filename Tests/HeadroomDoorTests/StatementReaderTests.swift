import TestSupport
import Testing

@testable import HeadroomDoor

/// A statement counts as one that leaves nothing behind only when it is known to be one.
@Suite struct StatementReaderTests {
    private func effect(
        _ text: String,
        mayBeSeveral: Bool = true,
        hasBackslashEscapes: Bool? = true,
        characterSet: UInt16 = 45
    ) -> StatementReader.Effect {
        StatementReader(
            Array(text.utf8)[...],
            mayBeSeveral: mayBeSeveral,
            hasBackslashEscapes: hasBackslashEscapes,
            characterSet: characterSet
        )
        .effect
    }

    @Test(arguments: [
        "SELECT 1", "select * from t where a = 'x@y.de; drop'", "  (SELECT 1) UNION (SELECT 2);",
        "insert into t values (1)",
        "/* page 7 */ SELECT @@time_zone", "UPDATE t SET a = 'it''s; @x := 1'",
        "DELETE FROM `t` WHERE a = 'GET_LOCK(1)'", "BEGIN",
        "START TRANSACTION READ ONLY", "COMMIT", "ROLLBACK TO a", "SHOW TABLES", "WITH a AS (SELECT 1) SELECT * FROM a",
        "SELECT 'a\\';b'",
        "SELECT 'é; @'", "RELEASE SAVEPOINT a", "SELECT 1 ; \n", "CREATE TABLE a (b int)",
    ])
    func `plain statements are known`(text: String) {
        #expect(effect(text) == .none)
    }

    @Test(arguments: [
        "SET @a = 1", "SELECT @a := 1", "SELECT 1 INTO @a", "SELECT a INTO@x FROM t", "SELECT GET_LOCK('a', 1)",
        "select get_lock ('a',1)",
        "SELECT `get_lock`('a', 1)", "SELECT /*!50000 GET_LOCK('a', 1) */", "/*!50000 SET @a = 1 */",
        "/*M! LOCK TABLES t READ */",
        "LOCK TABLES t WRITE", "CREATE TEMPORARY TABLE t (a int)", "create  temporary table t (a int)",
        "HANDLER t OPEN", "PREPARE s FROM 'x'",
        "CALL p()", "XA START 'a'", "USE shop", "DO 1", "SELECT 1; SELECT 2", "FLUSH TABLES WITH READ LOCK",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "SELECT SQL_CALC_FOUND_ROWS 1", "UPDATE t SET a = LAST_INSERT_ID(a + 1)", "SELECT NEXTVAL(s)",
        "SELECT NEXT VALUE FOR s",
        "BEGIN NOT ATOMIC SET @a = 1; END", "SELECT '\\\\'; SET @a = 1; SELECT ''", "SELECT \"\\\"; SET @a = 1",
        "`SELECT` 1", "", "'x'",
        "-- \nSELECT 1", "#\nSELECT 1", "SELECT 1 -- '\n; SET @a = 1 -- '", "SELECT 1 /* ' */, @a := 1 /* ' */",
        "\u{0}SELECT 1",
        "SET STATEMENT max_statement_time = 1 FOR SELECT 1", "EXECUTE IMMEDIATE 'x'", "HELP 'x'", "SELECT @`a` := 1",
        "INSERT INTO t VALUES (1) RETURNING a", "DROP DATABASE shop",
    ])
    func `what may leave something behind is not plain, however it is written`(text: String) {
        guard case .sticks = effect(text) else {
            Issue.record("\(text) counts as \(effect(text))")
            return
        }
    }

    @Test(arguments: [
        "SET NAMES utf8mb4", "set names 'utf8' collate 'utf8_general_ci'", "SET CHARACTER SET latin1",
        "SET time_zone = '+02:00'",
        "SET SESSION sql_mode = 'STRICT_TRANS_TABLES,NO_ZERO_DATE'", "SET @@session.sql_mode=''", "SET autocommit=0",
        "SET NAMES utf8mb4 COLLATE utf8mb4_general_ci, SESSION autocommit = 1, SESSION wait_timeout = 300;",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET character_set_results = NULL",
        "SET max_statement_time = 1.5",
        "SET SESSION transaction_isolation = 'READ-COMMITTED'",
    ])
    func `settings that another session gets by the same statement are known`(text: String) {
        #expect(effect(text) == .setting)
    }

    @Test(arguments: [
        "SET GLOBAL time_zone = '+02:00'", "SET SESSION time_zone = '+02:00', GLOBAL max_connections = 1",
        "SET time_zone = @tz",
        "SET sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES')", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET PASSWORD = 'x'",
        "SET @@transaction_isolation = 'SERIALIZABLE'", "SET transaction_isolation = 'SERIALIZABLE'", "SET NAMES gbk",
        "SET NAMES 'sjis'",
        "SET character_set_client = big5", "SET NAMES DEFAULT", "SET ROLE admin", "SET insert_id = 7",
        "SET timestamp = 1", "SET rand_seed1 = 4",
        "SET PERSIST max_connections = 10", "SET time_zone = (SELECT 1)", "SET a.b = 1", "SET time_zone = 'a\\'b'",
        "SET time_zone", "SET",
        "SET time_zone = '+01:00' x", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
        "SET time_zone := '+01:00'",
        "SET /*! GLOBAL */ time_zone = '+01:00'", "SET pseudo_thread_id = 4", "SET last_insert_id = 4",
        "SET sql_log_bin = 0", "SET debug = 'd'",
    ])
    func `every other setting sticks`(text: String) {
        guard case .sticks = effect(text) else {
            Issue.record("\(text) counts as \(effect(text))")
            return
        }
    }

    /// A backslash before a quote ends a literal or does not, as the session's mode says, and a byte below 0x80 may be half of a
    /// character.
    @Test func `where it is not certain what is in quotes, all of it counts`() {
        let text = "SELECT 'a\\' , @b := 1 , 'c\\'"
        for hasEscapes in [false, nil] as [Bool?] {
            guard case .sticks = effect(text, hasBackslashEscapes: hasEscapes) else {
                Issue.record("a variable counts as a literal")
                return
            }
        }
        // In GBK the backslash is the second half of a character.
        let bytes =
            Array("SELECT '".utf8) + [0xBF, 0x5C] + Array("', @b := 1, '".utf8) + [0xBF, 0x5C] + Array("'".utf8)
        let reader = StatementReader(bytes[...], mayBeSeveral: true, hasBackslashEscapes: true, characterSet: 28)
        guard case .sticks = reader.effect else {
            Issue.record("a variable counts as a literal")
            return
        }
    }

    @Test func `what leaves something behind does so in every writing`() {
        var random = Seeded(11)
        let harmful = [
            "GET_LOCK('a',1)", "@a:=1", "@a := (SELECT 1)", "`GET_LOCK`('x',0)", "LAST_INSERT_ID(5)", "NEXTVAL(s)",
        ]
        let quoted = ["'x'", "'it''s'", "'\\''", "`q`", "\"d\"", "'é'", "''", "'--'", "'/*'"]
        for _ in 0..<2_000 {
            var parts = (0..<Int.random(in: 0...4, using: &random)).map { _ in random.pick(quoted) }
            let harm = random.pick(harmful)
            parts.insert(harm, at: Int.random(in: 0...parts.count, using: &random))
            let blank = random.pick([" ", "\n", "\t", "/* c */", "  "])
            let text = "SELECT" + blank + parts.joined(separator: blank + "," + blank)
            let written =
                random.isOne(in: 2)
                ? text : String(decoding: text.utf8.map { random.isOne(in: 2) ? lower($0) : $0 }, as: UTF8.self)
            guard case .sticks = effect(written) else {
                Issue.record("\(written) counts as \(effect(written))")
                return
            }
        }
    }

    private func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
    }

    @Test(arguments: [
        "SELECT ROW_COUNT()", "show warnings", "SHOW ERRORS", "get diagnostics @a = number", "select found_rows()",
        "SELECT @@identity",
    ])
    func `what asks for the statement before is known`(text: String) {
        #expect(StatementReader.readsBefore(Array(text.utf8)))
    }
}
