import CMariaDB

extension Columns {
    /// Reads what the server says of the columns of a result.
    convenience init(_ fields: UnsafePointer<MYSQL_FIELD>?, count: Int) {
        self.init(UnsafeBufferPointer(start: fields, count: fields == nil ? 0 : count).map { Column($0) })
    }
}

extension Column {
    fileprivate init(_ field: MYSQL_FIELD) {
        // 31 and more: as many as a value has (the library's NOT_FIXED_DEC).
        let decimals = field.decimals < 31 ? Int(field.decimals) : nil
        self.init(
            String(cString: field.name),
            ColumnType(field),
            isUnsigned: field.flags & UInt32(UNSIGNED_FLAG) != 0,
            isNeverNull: field.flags & UInt32(NOT_NULL_FLAG) != 0,
            length: Int(clamping: field.length),
            decimals: decimals
        )
    }
}

extension ColumnType {
    fileprivate init(_ field: MYSQL_FIELD) {
        // The character set of bytes that are none, and of numbers and dates.
        let isBinary = field.charsetnr == 63
        switch field.type {
        case MYSQL_TYPE_TINY: self = .tinyInt
        case MYSQL_TYPE_SHORT: self = .smallInt
        case MYSQL_TYPE_INT24: self = .mediumInt
        case MYSQL_TYPE_LONG: self = .int
        case MYSQL_TYPE_LONGLONG: self = .bigInt
        case MYSQL_TYPE_YEAR: self = .year
        case MYSQL_TYPE_BIT: self = .bit
        case MYSQL_TYPE_FLOAT: self = .float
        case MYSQL_TYPE_DOUBLE: self = .double
        case MYSQL_TYPE_DECIMAL, MYSQL_TYPE_NEWDECIMAL: self = .decimal
        case MYSQL_TYPE_DATE, MYSQL_TYPE_NEWDATE: self = .date
        case MYSQL_TYPE_TIME: self = .time
        case MYSQL_TYPE_DATETIME: self = .dateTime
        case MYSQL_TYPE_TIMESTAMP: self = .timestamp
        case MYSQL_TYPE_NULL: self = .null
        case MYSQL_TYPE_ENUM: self = .enumeration
        case MYSQL_TYPE_SET: self = .set
        case MYSQL_TYPE_JSON: self = .json
        case MYSQL_TYPE_GEOMETRY: self = .geometry
        // MySQL's, which the library does not name.
        case enum_field_types(242): self = .vector
        case MYSQL_TYPE_STRING where field.flags & UInt32(ENUM_FLAG) != 0: self = .enumeration
        case MYSQL_TYPE_STRING where field.flags & UInt32(SET_FLAG) != 0: self = .set
        case MYSQL_TYPE_STRING: self = Self.named(field) ?? (isBinary ? .binary : .char)
        case MYSQL_TYPE_VAR_STRING, MYSQL_TYPE_VARCHAR: self = Self.named(field) ?? (isBinary ? .varBinary : .varChar)
        case MYSQL_TYPE_TINY_BLOB, MYSQL_TYPE_BLOB, MYSQL_TYPE_MEDIUM_BLOB, MYSQL_TYPE_LONG_BLOB:
            self = Self.named(field) ?? (isBinary ? .blob : .text)
        default: self = .unknown(field.type.rawValue)
        }
    }

    /// The type that MariaDB names beside the protocol's own.
    ///
    /// Its JSON is LONGTEXT: that name is a format's, and the library loses it where it copies the fields (3.3).
    private static func named(_ field: MYSQL_FIELD) -> ColumnType? {
        guard field.extension != nil else { return nil }
        return withUnsafePointer(to: field) { field in
            var name = MARIADB_CONST_STRING()
            guard mariadb_field_attr(&name, field, MARIADB_FIELD_ATTR_DATA_TYPE_NAME) == 0 else { return nil }
            switch String(decoding: UnsafeRawBufferPointer(start: name.str, count: name.length), as: UTF8.self) {
            case "uuid": return .uuid
            case "inet4", "inet6": return .inet
            case "vector": return .vector
            default: return nil
            }
        }
    }
}

extension MYSQL_FIELD {
    /// Whether the library can read the field in the binary form: of a type that it does not know it would call nothing.
    var isReadable: Bool {
        switch type {
        case MYSQL_TYPE_TIMESTAMP2, MYSQL_TYPE_DATETIME2, MYSQL_TYPE_TIME2: false
        case let type where type.rawValue <= MYSQL_TYPE_BIT.rawValue: true
        case let type: MYSQL_TYPE_JSON.rawValue...MYSQL_TYPE_GEOMETRY.rawValue ~= type.rawValue
        }
    }
}
