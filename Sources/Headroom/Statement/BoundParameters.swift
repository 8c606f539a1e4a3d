import CLibrary
import CMariaDB

/// The values of a statement in the form that the C client reads, kept until the statement has run.
final class BoundParameters {
    let binds: UnsafeMutablePointer<MYSQL_BIND>

    private let count: Int
    private let memory: UnsafeMutableRawPointer

    /// Copies the values into one piece of memory.
    ///
    /// - Throws: ``DatabaseError`` with `encodingFailed` when no server can store one of them.
    init(_ values: [SQLValue]) throws(DatabaseError) {
        try SQLValue.check(values)
        count = values.count
        binds = .allocate(capacity: max(1, count))
        memory = .allocate(byteCount: values.reduce(8) { $0 + $1.boundSize }, alignment: 8)
        var place = memory
        for (index, value) in values.enumerated() {
            var bind = MYSQL_BIND()
            bind.buffer = place
            let length = UInt(value.write(to: place))
            bind.buffer_length = length
            // The library reads the length from here when no length pointer is given.
            bind.length_value = length
            bind.buffer_type = value.boundType
            if case .unsigned = value { bind.is_unsigned = 1 }
            (binds + index).initialize(to: bind)
            place += value.boundSize
        }
        for index in 0..<count { binds[index].length = lengthPointer(index) }
    }

    deinit {
        binds.deallocate()
        memory.deallocate()
    }

    private func lengthPointer(_ index: Int) -> UnsafeMutablePointer<UInt> {
        let offset = MemoryLayout<MYSQL_BIND>.offset(of: \.length_value) ?? 0
        return (UnsafeMutableRawPointer(binds + index) + offset).assumingMemoryBound(to: UInt.self)
    }
}

extension SQLValue {
    fileprivate var boundType: enum_field_types {
        switch self {
        case .null, .unstorable: MYSQL_TYPE_NULL
        case .integer, .unsigned: MYSQL_TYPE_LONGLONG
        case .double: MYSQL_TYPE_DOUBLE
        case .decimal: MYSQL_TYPE_NEWDECIMAL
        case .text: MYSQL_TYPE_STRING
        case .bytes: MYSQL_TYPE_BLOB
        }
    }

    /// The bytes that the value takes, a multiple of 8 so that the next one is aligned.
    fileprivate var boundSize: Int {
        switch self {
        case .null, .unstorable: 0
        case .integer, .unsigned, .double: 8
        case .text(let text), .decimal(let text): (text.utf8.count + 7) & ~7
        case .bytes(let bytes): (bytes.count + 7) & ~7
        }
    }

    /// Writes the value and returns its length.
    fileprivate func write(to place: UnsafeMutableRawPointer) -> Int {
        switch self {
        case .null, .unstorable:
            return 0
        case .integer(let number):
            place.storeBytes(of: number, as: Int64.self)
            return 8
        case .unsigned(let number):
            place.storeBytes(of: number, as: UInt64.self)
            return 8
        case .double(let number):
            place.storeBytes(of: number, as: Double.self)
            return 8
        case .text(var text), .decimal(var text):
            return text.withUTF8 { bytes in
                if let start = bytes.baseAddress { memcpy(place, start, bytes.count) }
                return bytes.count
            }
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { bytes in
                if let start = bytes.baseAddress { memcpy(place, start, bytes.count) }
                return bytes.count
            }
        }
    }
}
