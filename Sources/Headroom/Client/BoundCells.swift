import CMariaDB

/// The memory into which the C client writes the cells of a prepared statement's row.
///
/// Every cell starts with room for any number, date or short text; one that is longer is fetched again into larger memory.
final class BoundCells {
    let binds: UnsafeMutablePointer<MYSQL_BIND>

    private let count: Int
    private let lengths: UnsafeMutablePointer<UInt>
    private let nulls: UnsafeMutablePointer<my_bool>
    private let memory: UnsafeMutableRawPointer

    private static let room = 64

    init(count: Int) {
        self.count = count
        binds = .allocate(capacity: count)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0, count: count)
        nulls = .allocate(capacity: count)
        nulls.initialize(repeating: 0, count: count)
        memory = .allocate(byteCount: count * Self.room, alignment: 8)
        for index in 0..<count {
            var bind = MYSQL_BIND()
            bind.buffer_type = MYSQL_TYPE_STRING
            bind.buffer = memory + index * Self.room
            bind.buffer_length = UInt(Self.room)
            bind.length = lengths + index
            bind.is_null = nulls + index
            (binds + index).initialize(to: bind)
        }
    }

    deinit {
        binds.deallocate()
        lengths.deallocate()
        nulls.deallocate()
        memory.deallocate()
    }

    /// Reads the row that was fetched last.
    ///
    /// - Parameters:
    ///   - statement: The statement.
    ///   - columns: Its columns.
    ///   - most: The most bytes that a cell can have: the library believes the server what it says of a cell's length.
    /// - Returns: The row.
    func row(of statement: UnsafeMutablePointer<MYSQL_STMT>, columns: Columns, most: Int) -> Row {
        var bytes: [UInt8] = []
        var cells: [Range<Int>?] = []
        cells.reserveCapacity(count)
        for index in 0..<count {
            guard nulls[index] == 0 else {
                cells.append(nil)
                continue
            }
            let length = min(Int(clamping: lengths[index]), most)
            let begin = bytes.count
            if length <= Self.room {
                bytes.append(contentsOf: UnsafeRawBufferPointer(start: memory + index * Self.room, count: length))
            } else {
                bytes.append(contentsOf: longCell(index, length: length, of: statement))
            }
            cells.append(begin..<bytes.count)
        }
        return Row(columns: columns, bytes: bytes, cells: cells)
    }

    private func longCell(
        _ index: Int,
        length: Int,
        of statement: UnsafeMutablePointer<MYSQL_STMT>
    ) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: length) { buffer, initialized in
            var written: UInt = 0
            var isNull: my_bool = 0
            withUnsafeMutablePointer(to: &written) { written in
                withUnsafeMutablePointer(to: &isNull) { isNull in
                    var bind = MYSQL_BIND()
                    bind.buffer_type = MYSQL_TYPE_STRING
                    bind.buffer = UnsafeMutableRawPointer(buffer.baseAddress)
                    bind.buffer_length = UInt(length)
                    bind.length = written
                    bind.is_null = isNull
                    mysql_stmt_fetch_column(statement, &bind, UInt32(index), 0)
                }
            }
            initialized = length
        }
    }
}
