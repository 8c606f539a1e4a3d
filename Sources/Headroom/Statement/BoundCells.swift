import CMariaDB

/// The memory into which the C client writes the cells of a prepared statement's row.
///
/// Every cell starts with room for any number, date or short text; one that is longer is fetched again into larger memory.
final class BoundCells {
    let binds: UnsafeMutablePointer<MYSQL_BIND>

    private let columns: Columns
    private let lengths: UnsafeMutablePointer<UInt>
    private let nulls: UnsafeMutablePointer<my_bool>
    private let memory: UnsafeMutableRawPointer
    private let hasFloats: Bool
    private var rows = 0

    private static let room = 64

    init(_ columns: Columns) {
        self.columns = columns
        let count = columns.count
        binds = .allocate(capacity: count)
        lengths = .allocate(capacity: count)
        lengths.initialize(repeating: 0, count: count)
        nulls = .allocate(capacity: count)
        nulls.initialize(repeating: 0, count: count)
        memory = .allocate(byteCount: count * Self.room, alignment: 8)
        hasFloats = columns.contains { $0.type == .float }
        for index in 0..<count {
            var bind = MYSQL_BIND()
            // As text the library rounds it, as the server does.
            bind.buffer_type = columns[index].type == .float ? MYSQL_TYPE_FLOAT : MYSQL_TYPE_STRING
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
    ///   - most: The most bytes that a cell can have: the library believes the server what it says of a cell's length.
    /// - Returns: The row.
    func row(of statement: UnsafeMutablePointer<MYSQL_STMT>, most: Int) -> Row {
        var bytes: [UInt8] = []
        var cells: [Range<Int>?] = []
        let count = columns.count
        cells.reserveCapacity(count)
        for index in 0..<count {
            guard nulls[index] == 0 else {
                cells.append(nil)
                continue
            }
            let begin = bytes.count
            if hasFloats, columns[index].type == .float {
                let number = (memory + index * Self.room).load(as: Float.self)
                bytes.append(contentsOf: Self.text(number).utf8)
            } else {
                let length = min(Int(clamping: lengths[index]), most)
                if length <= Self.room {
                    bytes.append(contentsOf: UnsafeRawBufferPointer(start: memory + index * Self.room, count: length))
                } else {
                    bytes.append(contentsOf: longCell(index, length: length, of: statement))
                }
            }
            cells.append(begin..<bytes.count)
        }
        rows += 1
        return Row(columns: columns, ordinal: rows, bytes: bytes, cells: cells)
    }

    /// The shortest text from which the number can be read back.
    private static func text(_ number: Float) -> String {
        let text = number.description
        return text.ends(with: ".0") ? String(text.dropLast(2)) : text
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
