import CMariaDB

/// The values of a bulk statement in the form that the C client reads, kept until the statement has run.
final class BoundColumns {
    let binds: UnsafeMutablePointer<MYSQL_BIND>

    private let count: Int
    private var memory: [UnsafeMutableRawPointer] = []

    /// Copies the values into memory of the form that the library wants.
    ///
    /// - Throws: ``DatabaseError`` with `encodingFailed` when no server can store one of them, or a column mixes kinds.
    init(_ columns: [BulkColumn]) throws(DatabaseError) {
        let forms = try columns.map { column throws(DatabaseError) in try column.form }
        count = columns.count
        binds = .allocate(capacity: max(1, count))
        for (index, column) in columns.enumerated() {
            var bind = MYSQL_BIND()
            switch column {
            case .integers(let numbers):
                bind.buffer_type = MYSQL_TYPE_LONGLONG
                bind.buffer = UnsafeMutableRawPointer(copy(numbers))
            case .texts(let texts):
                copy(texts, to: &bind)
                bind.buffer_type = MYSQL_TYPE_STRING
            case .values(let values):
                copy(values, as: forms[index], to: &bind)
            }
            (binds + index).initialize(to: bind)
        }
    }

    deinit {
        binds.deallocate()
        for piece in memory { piece.deallocate() }
    }

    /// Copies texts, for which the library wants an array of pointers, and one of lengths.
    private func copy(_ texts: BulkTexts, to bind: inout MYSQL_BIND) {
        let bytes = copy(texts.bytes)
        let pointers = allocate(texts.count, of: UnsafeMutablePointer<UInt8>.self)
        let lengths = allocate(texts.count, of: UInt.self)
        var start = 0
        for (row, end) in texts.ends.enumerated() {
            (pointers + row).initialize(to: bytes + start)
            (lengths + row).initialize(to: UInt(end - start))
            start = end
        }
        bind.buffer = UnsafeMutableRawPointer(pointers)
        bind.length = lengths
    }

    private func copy(_ values: [SQLValue], as form: BulkColumn.Form, to bind: inout MYSQL_BIND) {
        let isNull = values.map { CChar($0 == .null ? STMT_INDICATOR_NULL.rawValue : STMT_INDICATOR_NONE.rawValue) }
        bind.u.indicator = copy(isNull)
        switch form {
        case .signed, .unsigned:
            var numbers: [UInt64] = []
            numbers.reserveCapacity(values.count)
            for value in values {
                switch value {
                case .integer(let number): numbers.append(UInt64(bitPattern: number))
                case .unsigned(let number): numbers.append(number)
                default: numbers.append(0)
                }
            }
            bind.buffer_type = MYSQL_TYPE_LONGLONG
            bind.is_unsigned = form == .unsigned ? 1 : 0
            bind.buffer = UnsafeMutableRawPointer(copy(numbers))
        case .double:
            var numbers: [Double] = []
            numbers.reserveCapacity(values.count)
            for value in values {
                guard case .double(let number) = value else {
                    numbers.append(0)
                    continue
                }
                numbers.append(number)
            }
            bind.buffer_type = MYSQL_TYPE_DOUBLE
            bind.buffer = UnsafeMutableRawPointer(copy(numbers))
        case .decimal, .text, .bytes:
            var texts = BulkTexts(capacity: values.count)
            for value in values {
                texts.append { bytes in
                    switch value {
                    case .text(let text), .decimal(let text): bytes.append(contentsOf: text.utf8)
                    case .bytes(let own): bytes.append(contentsOf: own)
                    case .integer(let number): bytes.append(contentsOf: String(number).utf8)
                    case .unsigned(let number): bytes.append(contentsOf: String(number).utf8)
                    default: break
                    }
                }
            }
            copy(texts, to: &bind)
            bind.buffer_type =
                switch form {
                case .decimal: MYSQL_TYPE_NEWDECIMAL
                case .bytes: MYSQL_TYPE_BLOB
                default: MYSQL_TYPE_STRING
                }
        }
    }

    private func copy<Value: BitwiseCopyable>(_ values: [Value]) -> UnsafeMutablePointer<Value> {
        let copy = allocate(values.count, of: Value.self)
        values.withUnsafeBufferPointer { if let base = $0.baseAddress { copy.initialize(from: base, count: $0.count) } }
        return copy
    }

    private func allocate<Value>(_ count: Int, of _: Value.Type) -> UnsafeMutablePointer<Value> {
        let pointer = UnsafeMutablePointer<Value>.allocate(capacity: max(1, count))
        memory.append(UnsafeMutableRawPointer(pointer))
        return pointer
    }
}
