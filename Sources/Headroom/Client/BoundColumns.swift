import CMariaDB

/// The values of a bulk statement in the form that the C client reads, kept until the statement has run.
final class BoundColumns {
    let binds: UnsafeMutablePointer<MYSQL_BIND>

    private let count: Int
    private var memory: [UnsafeMutableRawPointer] = []

    init(_ columns: [BulkColumn]) {
        count = columns.count
        binds = .allocate(capacity: max(1, count))
        for (index, column) in columns.enumerated() {
            var bind = MYSQL_BIND()
            switch column {
            case .integers(let numbers):
                bind.buffer_type = MYSQL_TYPE_LONGLONG
                bind.buffer = UnsafeMutableRawPointer(copy(numbers))
            case .texts(let texts):
                // For texts the library wants an array of pointers, and one of lengths.
                let bytes = copy(texts.bytes)
                let pointers = allocate(texts.count, of: UnsafeMutablePointer<UInt8>.self)
                let lengths = allocate(texts.count, of: UInt.self)
                var start = 0
                for (row, end) in texts.ends.enumerated() {
                    (pointers + row).initialize(to: bytes + start)
                    (lengths + row).initialize(to: UInt(end - start))
                    start = end
                }
                bind.buffer_type = MYSQL_TYPE_STRING
                bind.buffer = UnsafeMutableRawPointer(pointers)
                bind.length = lengths
            }
            (binds + index).initialize(to: bind)
        }
    }

    deinit {
        binds.deallocate()
        for piece in memory { piece.deallocate() }
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
